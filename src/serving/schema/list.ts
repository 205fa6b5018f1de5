import * as z from 'zod';

/**
 * A list whose items are checked one by one until one is wrong. zod's own goes on to the end and makes an issue of
 * every item, which takes seconds where a million are of the wrong type.
 *
 * @param most items
 */
export function listOf<Item extends z.ZodType>(item: Item, most: number) {
  return z.unknown().transform((value, context): z.output<Item>[] => {
    const wrong = (message: string, path: readonly PropertyKey[] = []): never => {
      context.issues.push({ code: 'custom', message, path: [...path], input: undefined });
      return z.NEVER;
    };
    if (!Array.isArray(value)) return wrong('expected array');
    if (value.length > most) return wrong(`expected at most ${most} items, found ${value.length}`);
    const items: z.output<Item>[] = [];
    for (let at = 0; at < value.length; at++) {
      const result = item.safeParse(value[at]);
      if (!result.success) {
        const { path, message } = result.error.issues[0];
        return wrong(message, [at, ...path]);
      }
      items.push(result.data);
    }
    return items;
  });
}

/** Whether a value is a list of token ids, as fast as a loop can tell. */
export function areIds(value: unknown): value is readonly number[] {
  if (!Array.isArray(value)) return false;
  for (const id of value as unknown[]) if (!Number.isSafeInteger(id) || (id as number) < 0) return false;
  return true;
}
