import { number, type TextKind } from '../../engine/options/kinds.js';

/** A number above 0 of something. */
export const amount = (what: string): TextKind<number> => ({
  ...number({ low: 0, above: true }),
  wanted: `${what}, above 0`,
});

export const portion: TextKind<number> = { ...number({ low: 0, high: 1 }), wanted: 'a share from 0 to 1' };

/** What stands between commas. */
export const byCommas = (given: string): string[] => given.split(',').map((part) => part.trim());

/** Values of a kind with commas between them. @param parts of a text */
export function severalOf<T>(item: TextKind<T>, parts = byCommas): TextKind<readonly T[]> {
  return {
    wanted: `${item.wantedText ?? item.wanted}, or several with commas between them`,
    read(given) {
      const values = parts(given).map((part) => item.read(part, undefined));
      return values.length > 0 && values.every((value) => value !== undefined) ? values : undefined;
    },
    show: (values) => values.join(','),
  };
}
