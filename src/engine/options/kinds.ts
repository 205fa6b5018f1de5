/** What an option takes that only a command line has. */
export interface TextKind<T> {
  /** In words, after "must be". */
  readonly wanted: string;
  /** What a text must be that stands for a value, where that is not the same. */
  readonly wantedText?: string;
  /** What of a text is wrong, where not all of it. */
  wrong?(text: string): string;
  /** The value that a text stands for; undefined where there is none. @param before of an option given several times */
  read(text: string, before: T | undefined): T | undefined;
  /** A value as such a text, where not as itself. */
  show?(value: T): string;
}

/** What an option takes. */
export interface Kind<T> extends TextKind<T> {
  accepts(value: unknown): boolean;
}

interface Range {
  readonly low?: number;
  readonly high?: number;
  /** Whether `low` is out of it. */
  readonly above?: boolean;
}

function inWords(what: string, { low, high, above }: Range): string {
  if (low === undefined) return what;
  if (above) return high === undefined ? `${what} above ${low}` : `${what} above ${low} and up to ${high}`;
  return high === undefined ? `${what} of at least ${low}` : `${what} from ${low} to ${high}`;
}

function numberOf(what: string, range: Range, isOne: (value: number) => boolean): Kind<number> {
  const { low = -Infinity, high = Infinity, above } = range;
  const accepts = (value: unknown): value is number =>
    typeof value === 'number' && isOne(value) && (above ? value > low : value >= low) && value <= high;
  return {
    wanted: inWords(what, range),
    accepts,
    read: (text) => (text.trim() !== '' && accepts(Number(text)) ? Number(text) : undefined),
  };
}

/** @param what it is a number of, as `a number of seconds` */
export const number = (range: Range = {}, what = 'a number'): Kind<number> => numberOf(what, range, Number.isFinite);
export const whole = (low: number, high?: number): Kind<number> =>
  numberOf('a whole number', { low, high }, Number.isSafeInteger);

/** @param more names that are good, and too many to list */
export function oneOf<T extends string>(choices: readonly T[], more: readonly T[] = []): Kind<T> {
  const find = (value: unknown): T | undefined => [...choices, ...more].find((each) => each === value);
  return { wanted: `one of ${choices.join(', ')}`, accepts: (value) => find(value) !== undefined, read: find };
}

export function oneOfNumbers<T extends number>(choices: readonly T[]): Kind<T> {
  const find = (value: unknown): T | undefined => choices.find((each) => each === value);
  return {
    wanted: `one of ${choices.join(', ')}`,
    accepts: (value) => find(value) !== undefined,
    read: (text) => (text.trim() === '' ? undefined : find(Number(text))),
  };
}

export const toggle: Kind<boolean> = {
  wanted: 'true or false',
  accepts: (value) => typeof value === 'boolean',
  read: () => undefined,
};

/** Any text. */
export const anyText: Kind<string> = {
  wanted: 'text',
  accepts: (value) => typeof value === 'string',
  read: (given) => given,
};

/** Text that is not blank. */
export const text = (wanted: string, wantedText = wanted): Kind<string> => ({
  wanted,
  wantedText,
  accepts: (value) => typeof value === 'string' && value.trim() !== '',
  read: (given) => (given.trim() === '' ? undefined : given),
});

const UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/** A size in memory: bytes, or as text with a unit. */
export const bytes: Kind<number> = {
  ...whole(1),
  wantedText: 'a size such as 512MiB or 8GiB',
  read(given) {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(given);
    const value = Math.floor(Number(match?.[1]) * (UNITS[match?.[2].toLowerCase() ?? ''] ?? NaN));
    return value >= 1 ? value : undefined;
  },
  show: (value) => (value % 2 ** 20 === 0 ? `${value / 2 ** 20}MiB` : String(value)),
};

/** Texts; on a command line one at a time. */
export const texts: Kind<readonly string[]> = {
  wanted: 'a list of strings, none of them empty',
  wantedText: 'some text',
  accepts: (value) => Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== ''),
  read: (given, before = []) => (given === '' ? undefined : [...before, given]),
};

const isId = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** Token ids with commas or blanks between them. */
export function readIds(given: string): number[] | undefined {
  const parts = given.split(/[\s,]+/).filter((part) => part !== '');
  return parts.length > 0 && parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : undefined;
}

export const WANTED_IDS = 'token ids separated by commas, such as 1,403,407';

export const tokenIds: Kind<readonly number[]> = {
  wanted: 'a list of token ids',
  wantedText: WANTED_IDS,
  accepts: (value) => Array.isArray(value) && value.every(isId),
  read(given, before = []) {
    const ids = readIds(given);
    return ids && [...before, ...ids];
  },
};

/** Biases of token ids; on a command line one at a time, `ID=BIAS`. */
export const biases: Kind<Readonly<Record<number, number>>> = {
  wanted: 'an object of token ids and numbers',
  wantedText: 'a token id and a number, such as 403=-2.5',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([id, bias]) => /^\d+$/.test(id) && typeof bias === 'number' && !Number.isNaN(bias)),
  read(given, before = {}) {
    const match = /^\s*(\d+)\s*=\s*(\S+)\s*$/.exec(given);
    const bias = Number(match?.[2]);
    return match === null || Number.isNaN(bias) ? undefined : { ...before, [match[1]]: bias };
  },
};
