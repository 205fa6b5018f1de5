import type { EngineOptionName, GenerateOptionName, OptionName } from '../../wording.js';
import { ENGINE_OPTIONS, type EngineOptionValue } from './engine-options.js';
import type { OptionEntry } from './entry.js';
import { GENERATE_OPTIONS, type GenerateOptionValue } from './generate-options.js';

/** Every option of the library, of which flags, checks, fields of requests and the names in errors are made. */
export const OPTIONS = { ...ENGINE_OPTIONS, ...GENERATE_OPTIONS };

export type OptionValue<K extends OptionName> = K extends EngineOptionName
  ? EngineOptionValue<K>
  : K extends GenerateOptionName
    ? GenerateOptionValue<K>
    : never;

/** An option's entry, without what is only known of that one. */
export const entryOf = (name: OptionName): OptionEntry<unknown> => OPTIONS[name];

/** `--max-num-seqs`; undefined for an option that no command has. */
export const flagOf = (name: OptionName): string | undefined => entryOf(name).flags?.split(' ')[0];
