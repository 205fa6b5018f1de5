import { Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { readAs } from '../../engine/options/check.js';
import type { TextKind } from '../../engine/options/kinds.js';
import type { CommandOptionName } from '../../wording.js';
import type { LongName } from './table-flags.js';

/** All there is to say of an option that one command has and the library does not. */
export interface TableEntry<T> {
  readonly kind: TextKind<T>;
  /** As commander declares it. */
  readonly flags: string;
  /** Without the default, which is written behind it. */
  readonly help: string;
  /** What it is where nobody asks; what runs takes it from here. */
  readonly default?: T;
  /** Whether it has to be given. */
  readonly required?: boolean;
  /** Whether the help leaves it out. */
  readonly hidden?: boolean;
}

/** Options of a command, by their flags in camel case: `noTokenize` is `--no-tokenize`. */
export type CommandTable = Readonly<Record<string, TableEntry<unknown>>>;

/** The names of all options in several tables. */
export type NamesIn<Tables> = { [K in keyof Tables]: keyof Tables[K] }[keyof Tables] & string;

/** A command's prefix in names of options. */
type Owner = CommandOptionName extends `${infer Name}.${string}` ? Name : never;

type ValueOf<Entry> = Entry extends { readonly kind: TextKind<infer T> } ? T : never;
type NameOf<Entry> = Entry extends { readonly flags: infer Flags } ? LongName<Flags> : never;
type RequiredIn<Table> = {
  [K in keyof Table]: Table[K] extends { readonly required: true } ? K : never;
}[keyof Table];

/** What commander makes of a command line by a table. */
export type FlagsIn<Table extends CommandTable> = {
  readonly [K in Exclude<keyof Table, RequiredIn<Table>> as NameOf<Table[K]>]?: ValueOf<Table[K]> | undefined;
} & { readonly [K in RequiredIn<Table> as NameOf<Table[K]>]: ValueOf<Table[K]> };

/** The values of those that have a default. */
type DefaultsIn<Table> = {
  readonly [K in keyof Table as Table[K] extends { readonly default: unknown } ? NameOf<Table[K]> : never]: ValueOf<
    Table[K]
  >;
};

/** An option of a command by its entry in a table. */
export function optionOf(owner: Owner, name: string, entry: TableEntry<unknown>): Option {
  const { flags, kind, required = false, hidden = false } = entry;
  const made = new Option(flags, helpOf(entry)).makeOptionMandatory(required).hideHelp(hidden);
  // Toggles take no text.
  if (/[<[]/.test(flags)) made.argParser((text, before) => readAs(`${owner}.${name}`, kind, text, before));
  return made;
}

function helpOf({ help, kind, default: usual }: TableEntry<unknown>): string {
  if (usual === undefined) return help;
  const plain = typeof usual === 'string' || typeof usual === 'number' ? `${usual}` : '';
  return `${help} (default: ${kind.show?.(usual) ?? plain})`;
}

/** Adds the options of a table to a command, in its order. */
export function addTable<A extends unknown[], O extends OptionValues, Table extends CommandTable>(
  command: Command<A, O>,
  owner: Owner,
  table: Table,
): Command<A, O & FlagsIn<Table>> {
  for (const [name, entry] of Object.entries(table)) command.addOption(optionOf(owner, name, entry));
  return command as unknown as Command<A, O & FlagsIn<Table>>;
}

/** Options of a command with what a table says where nobody asked. */
export function withDefaults<Table extends CommandTable, F extends FlagsIn<Table>>(
  table: Table,
  flags: F,
): Omit<F, keyof DefaultsIn<Table>> & DefaultsIn<Table> {
  const filled: Record<string, unknown> = { ...flags };
  for (const entry of Object.values(table)) {
    const name = new Option(entry.flags).attributeName();
    if (entry.default !== undefined) filled[name] ??= entry.default;
  }
  return filled as unknown as Omit<F, keyof DefaultsIn<Table>> & DefaultsIn<Table>;
}
