import { readIds, WANTED_IDS } from '../../engine/options/kinds.js';
import { RidgepointError } from '../../errors.js';

/** An option's value that does not do. */
export function refuseFlag(option: string, wanted: string, found: string): never {
  throw new RidgepointError('usage', `${option} must be ${wanted}, found ${JSON.stringify(found)}`);
}

type Parser<T> = (text: string) => T;

/** A number. */
export function number(option: string): Parser<number> {
  return (text) => {
    const value = Number(text);
    return text.trim() === '' || !Number.isFinite(value) ? refuseFlag(option, 'a number', text) : value;
  };
}

export function whole(option: string, least: number): Parser<number> {
  return (text) => {
    const value = Number(text);
    const good = text.trim() !== '' && Number.isSafeInteger(value) && value >= least;
    return good ? value : refuseFlag(option, `a whole number of at least ${least}`, text);
  };
}

/** A time above 0. */
export function seconds(option: string): Parser<number> {
  return (text) => {
    const value = number(option)(text);
    return value > 0 ? value : refuseFlag(option, 'a number of seconds above 0', text);
  };
}

/** Whole numbers with commas between them. */
export function wholes(option: string, least: number): Parser<number[]> {
  const wanted = `whole numbers of at least ${least} with commas between them, such as 1,8,32`;
  return (text) => {
    const values = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : -1));
    return values.every((value) => Number.isSafeInteger(value) && value >= least)
      ? values
      : refuseFlag(option, wanted, text);
  };
}

export function oneOf<T extends string>(option: string, choices: readonly T[]): Parser<T> {
  return (text) =>
    choices.find((choice) => choice === text) ?? refuseFlag(option, `one of ${choices.join(', ')}`, text);
}

export function nonEmpty(option: string, what: string): Parser<string> {
  return (text) => (text.trim() === '' ? refuseFlag(option, what, text) : text);
}

/** Collects an option that may be given several times. */
export function repeated(option: string): (text: string, before: string[] | undefined) => string[] {
  return (text, before = []) => (text === '' ? refuseFlag(option, 'some text', text) : [...before, text]);
}

/** The ids of a prompt. */
export const promptIds = (text: string): number[] => readIds(text) ?? refuseFlag('--prompt-ids', WANTED_IDS, text);
