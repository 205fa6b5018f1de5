import type { Command, OptionValues } from '@commander-js/extra-typings';

/** Adds options to a command. */
export type Declaration = (command: Command) => { opts(): unknown };

type Given<Declare extends Declaration> = ReturnType<ReturnType<Declare>['opts']>;

/** What the options that a function adds make of a command line; a toggle may be false, too, where code asks. */
export type Flags<Declare extends Declaration> = {
  readonly [K in keyof Given<Declare>]: true extends Given<Declare>[K]
    ? Given<Declare>[K] | boolean
    : Given<Declare>[K];
};

/** Options that several commands have: adds them and keeps the types of those that a command has already. */
export function group<F>(add: (command: Command) => { opts(): F }) {
  return <A extends unknown[], O extends OptionValues>(command: Command<A, O>): Command<A, O & F> => {
    add(command as unknown as Command);
    return command as unknown as Command<A, O & F>;
  };
}
