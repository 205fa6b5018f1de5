import { Option, type Command, type OptionValues } from '@commander-js/extra-typings';
import { readAs } from '../../engine/options/check.js';
import type { TextKind } from '../../engine/options/kinds.js';
import type { CommandOptionName } from '../../wording.js';

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
}

/** Options of a command, by the names that commander gives their values. */
export type CommandTable = Readonly<Record<string, TableEntry<unknown>>>;

/** A command's prefix in names of options. */
type Owner = CommandOptionName extends `${infer Name}.${string}` ? Name : never;

type ValueOf<Entry> = Entry extends { readonly kind: TextKind<infer T> } ? T : never;
type RequiredIn<Table> = {
  [K in keyof Table]: Table[K] extends { readonly required: true } ? K : never;
}[keyof Table];

/** What commander makes of a command line by a table. */
export type FlagsIn<Table extends CommandTable> = {
  readonly [K in Exclude<keyof Table, RequiredIn<Table>>]?: ValueOf<Table[K]> | undefined;
} & { readonly [K in RequiredIn<Table>]: ValueOf<Table[K]> };

/** An option of a command by its entry in a table. */
export function optionOf(owner: Owner, name: string, entry: TableEntry<unknown>): Option {
  const { flags, kind, required = false } = entry;
  const made = new Option(flags, helpOf(entry)).makeOptionMandatory(required);
  // Toggles take no text.
  if (flags.includes('<')) made.argParser((text, before) => readAs(`${owner}.${name}`, kind, text, before));
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
