import type { Kind } from './kinds.js';

/** All there is to say of an option of the library, for every door that people come in by. */
export interface OptionEntry<T> {
  readonly kind: Kind<T>;
  /** On the command line, as commander declares it; absent where no command has it. */
  readonly flags?: string;
  /** In the help of commands. */
  readonly help?: string;
  /** In a request over HTTP; absent where it is the server's to set. */
  readonly wire?: string;
  /** What it is where nobody asks, and neither the model nor the machine decides. */
  readonly default?: T;
}
