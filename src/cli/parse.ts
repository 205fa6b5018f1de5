import { RidgepointError } from '../errors.js';

/** An option's value that does not do. */
export function refuse(option: string, wanted: string, found: string): never {
  throw new RidgepointError('usage', `${option} must be ${wanted}, found ${JSON.stringify(found)}`);
}

type Parser<T> = (text: string) => T;

/** A number; whether it is in range is the engine's to say, in `checkOptions`. */
export function number(option: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    return text.trim() === '' || !Number.isFinite(value) ? refuse(option, 'a number', text) : value;
  };
}

export function whole(option: string, least: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    const good = text.trim() !== '' && Number.isSafeInteger(value) && value >= least;
    return good ? value : refuse(option, `a whole number of at least ${least}`, text);
  };
}

/** A number above 0. */
export function positive(option: string, what: string): Parser<number> {
  return (text) => {
    const value = number(option)(text);
    return value > 0 ? value : refuse(option, `${what}, above 0`, text);
  };
}

/** A share from 0 to 1. */
export function fraction(option: string): Parser<number> {
  return (text) => {
    const value = number(option)(text);
    return value >= 0 && value <= 1 ? value : refuse(option, 'a share from 0 to 1', text);
  };
}

/** A time above 0. */
export function seconds(option: string): Parser<number> {
  return (text) => {
    const value = number(option)(text);
    return value > 0 ? value : refuse(option, 'a number of seconds above 0', text);
  };
}

/** Whole numbers with commas between them. */
export function wholes(option: string, least: number): Parser<number[]> {
  const wanted = `whole numbers of at least ${least} with commas between them, such as 1,8,32`;
  return (text) => {
    const values = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : -1));
    return values.every((value) => Number.isSafeInteger(value) && value >= least)
      ? values
      : refuse(option, wanted, text);
  };
}

export function oneOf<T extends string>(option: string, choices: readonly T[]): Parser<T> {
  return (text) => choices.find((choice) => choice === text) ?? refuse(option, `one of ${choices.join(', ')}`, text);
}

const UNITS: Readonly<Record<string, number>> = {
  ...{ '': 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 },
  ...{ k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30, tib: 2 ** 40 },
};

/** A size in memory, with a unit or in bytes. */
export function byteCount(option: string): Parser<number> {
  return (text) => {
    const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text);
    const bytes = Math.floor(Number(match?.[1]) * (UNITS[match?.[2].toLowerCase() ?? ''] ?? NaN));
    return bytes >= 1 ? bytes : refuse(option, 'a size such as 512MiB or 8GiB', text);
  };
}

export function nonEmpty(option: string, what: string): Parser<string> {
  return (text) => (text.trim() === '' ? refuse(option, what, text) : text);
}

/** Collects an option that may be given several times. */
export function repeated(option: string): (text: string, before: string[] | undefined) => string[] {
  return (text, before = []) => (text === '' ? refuse(option, 'some text', text) : [...before, text]);
}

/** `ID=BIAS`, several times. */
export function logitBias(text: string, before: Record<number, number> = {}): Record<number, number> {
  const match = /^\s*(\d+)\s*=\s*(\S+)\s*$/.exec(text);
  const bias = Number(match?.[2]);
  if (match === null || Number.isNaN(bias)) {
    return refuse('--logit-bias', 'a token id and a number, such as 403=-2.5', text);
  }
  return { ...before, [match[1]]: bias };
}

/** Token ids with commas or blanks between them, several times. */
export function stopIds(text: string, before: number[] = []): number[] {
  return [...before, ...tokenIds(text, '--stop-id')];
}

/** The ids of a prompt. */
export function promptIds(text: string): number[] {
  return tokenIds(text, '--prompt-ids');
}

/** Token ids with commas or blanks between them. */
function tokenIds(text: string, option: string): number[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length === 0 || !parts.every((part) => /^\d+$/.test(part))) {
    return refuse(option, 'token ids separated by commas, such as 1,403,407', text);
  }
  return parts.map(Number);
}
