import { RidgepointError } from '../../errors.js';
import {
  option,
  words,
  type AnyOptionName,
  type EngineOptionName,
  type OptionName,
  type Wording,
} from '../../wording.js';
import type { EngineOptions } from '../api.js';
import { ENGINE_OPTIONS } from './engine-options.js';
import type { TextKind } from './kinds.js';
import { entryOf } from './table.js';

/** So much of a value is shown. */
const SHOWN = 120;

/** A value in the words of an error. */
export function found(value: unknown): string {
  // A list of a million is cut before it is written, not after.
  if (Array.isArray(value) && value.length > SHOWN) return found(value.slice(0, SHOWN));
  const text = textOf(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** As JSON, but for what JSON has no word for. */
function textOf(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'bigint') return `${value}n`;
  try {
    const text: string | undefined = JSON.stringify(value);
    return text ?? typeof value;
  } catch {
    return 'what cannot be written as JSON'; // an object that holds itself, or a bigint
  }
}

/** An option that is wrong. @param problem what follows its name */
export function refuseOption(name: AnyOptionName, problem: string | Wording): never {
  throw new RidgepointError('usage', words`${option(name)} ${problem}`, { option: name });
}

/** @throws RidgepointError naming the option where the value is none of its own; undefined is always good */
export function checkOption(name: OptionName, value: unknown): void {
  const { kind } = entryOf(name);
  if (value !== undefined && !kind.accepts(value)) refuseOption(name, `must be ${kind.wanted}, found ${found(value)}`);
}

/**
 * The value of an option that a text stands for, as on a command line.
 *
 * @param before of an option that is given several times
 * @throws RidgepointError naming the option
 */
export function readOption(name: OptionName, text: string, before?: unknown): unknown {
  return readAs(name, entryOf(name).kind, text, before);
}

/** The same of an option whose kind is known. */
export function readAs<T>(name: AnyOptionName, kind: TextKind<T>, text: string, before?: T): T {
  const value = kind.read(text, before);
  if (value !== undefined) return value;
  return refuseOption(name, `must be ${kind.wantedText ?? kind.wanted}, found ${found(kind.wrong?.(text) ?? text)}`);
}

/** Checks each of an engine's options by itself, before anything is opened. @throws RidgepointError naming the option */
export function checkEngineOptions(options: EngineOptions): void {
  const { speculate, ...plain } = options;
  const values: Record<string, unknown> = { ...plain };
  if (speculate !== undefined) {
    // Types are not there at run time.
    const given: Partial<typeof speculate> = Object(speculate) as typeof speculate;
    values['speculate.tokens'] = given.tokens ?? null;
    values['speculate.lookup'] = given.lookup ?? null;
  }
  for (const name of Object.keys(ENGINE_OPTIONS) as EngineOptionName[]) checkOption(name, values[name]);
}
