import { Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { readOption } from '../../engine/options/check.js';
import { entryOf, type OPTIONS, type OptionValue } from '../../engine/options/table.js';
import type { OptionName } from '../../wording.js';

/** `max-num-seqs` as commander names its value: `maxNumSeqs`. */
type Camel<Text extends string> = Text extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Text;
/** What commander calls the value of a flag. */
export type LongName<Flags> = Flags extends `--no-${infer Name}`
  ? Camel<Name>
  : Flags extends `--${infer Name} ${string}`
    ? Camel<Name>
    : Flags extends `--${infer Name}`
      ? Camel<Name>
      : never;

/** Options of the library that a command takes, under the names commander gives them. */
export type FlagsOf<Names extends OptionName> = {
  readonly [K in Names as (typeof OPTIONS)[K] extends { readonly flags: infer Flags } ? LongName<Flags> : never]?:
    OptionValue<K> | undefined;
};

/** The same under the library's names. */
export type OptionsOf<Names extends OptionName> = { readonly [K in Names]?: OptionValue<K> | undefined };

type FlagsText<K extends OptionName> = (typeof OPTIONS)[K] extends { readonly flags: infer Text extends string }
  ? Text
  : never;
type TableOption<K extends OptionName> = Option<
  FlagsText<K>,
  undefined,
  undefined,
  FlagsText<K> extends `${string}<${string}` ? OptionValue<K> : undefined
>;

/**
 * An option of the library as one of a command, by its entry in the table.
 *
 * @param help where a command has more to say than the table
 */
export function tableOption<K extends OptionName>(name: K, help = entryOf(name).help): TableOption<K> {
  const { flags } = entryOf(name);
  if (flags === undefined || help === undefined) throw new Error(`${name} is an option of no command`);
  const found = new Option(flags, help);
  // `--no-x` and the like take no text.
  if (flags.includes('<')) found.argParser((text, before) => readOption(name, text, before));
  return found;
}

/** Adds options of the library to a command, in the order of their names. */
export function addTableOptions<A extends unknown[], O extends OptionValues, Names extends OptionName>(
  command: Command<A, O>,
  names: readonly Names[],
  helps: { readonly [K in Names]?: string } = {},
): Command<A, O & FlagsOf<Names>> {
  for (const name of names) command.addOption(tableOption(name, helps[name]));
  return command as unknown as Command<A, O & FlagsOf<Names>>;
}

/** The options of the library among a command's, under its own names. */
export function optionsAmong<Names extends OptionName>(
  flags: FlagsOf<Names>,
  names: readonly Names[],
): OptionsOf<Names> {
  const values = flags as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    names.map((name) => [name, values[tableOption(name, '').attributeName()]]),
  ) as unknown as OptionsOf<Names>;
}
