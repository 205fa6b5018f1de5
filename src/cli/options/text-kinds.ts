import { addressText, type Address } from '../../cluster/address.js';
import { number, whole, type TextKind } from '../../engine/options/kinds.js';
import { natsUrlOf, type NatsUrl } from '../../platform/node/nats/nats-url.js';

/** A number above 0 of something. */
export const amount = (what: string): TextKind<number> => ({
  ...number({ low: 0, above: true }),
  wanted: `${what}, above 0`,
});

export const seconds = number({ low: 0, above: true }, 'a number of seconds');

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

/** The same, of which an error tells what is wanted of each, and the first that is not so. */
export function listed<T>(item: TextKind<T>): TextKind<readonly T[]> {
  return {
    ...severalOf(item),
    wanted: item.wantedText ?? item.wanted,
    wrong: (given) => byCommas(given).find((part) => item.read(part, undefined) === undefined) ?? given,
  };
}

/** Values of a kind, of which some may come twice, and count once. */
export const setOf = <T>(item: TextKind<T>): TextKind<readonly T[]> => ({
  ...listed(item),
  read: (given) => {
    const values = listed(item).read(given, undefined);
    return values && [...new Set(values)];
  },
});

/** Whole numbers with commas between them. @param least where that is to be said */
export const wholes = (least?: number): TextKind<readonly number[]> => ({
  ...severalOf(whole(least ?? 0)),
  wanted: `whole numbers${least === undefined ? '' : ` of at least ${least}`} with commas between them, such as 1,8,32`,
});

/** A host and a port, an IPv6 address in brackets; or a socket in the file system. */
export const address: TextKind<Address> = {
  wanted: 'a host and a port, such as 127.0.0.1:7070, or a path such as unix:/run/worker.sock',
  read(given) {
    const path = /^unix:(.+)$/.exec(given.trim())?.[1];
    if (path !== undefined) return { path };
    const [, host, digits] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(given.trim()) ?? [];
    const port = Number(digits);
    return host !== undefined && port <= 65535 ? { host, port } : undefined;
  },
  show: addressText,
};

/** Where a NATS server is. */
export const natsUrl: TextKind<NatsUrl> = {
  wanted: 'the address of a NATS server, such as nats://127.0.0.1:4222 or tls://nats.example.org',
  read: natsUrlOf,
  show: ({ shown }) => shown,
};

/** A port to listen on. */
export const port = whole(0, 65535);

/** Values of a kind, one each time that the option is given. */
export const repeated = <T>(item: TextKind<T>): TextKind<readonly T[]> => ({
  wanted: item.wantedText ?? item.wanted,
  read(given, before = []) {
    const value = item.read(given, undefined);
    return value === undefined ? undefined : [...before, value];
  },
});
