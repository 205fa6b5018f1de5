import { inLibraryWords, type AnyOptionName, type Wording } from './wording.js';

/** What went wrong, for exit codes and for programs that must tell one failure from another. */
export type ErrorCode =
  | 'usage' // an option or argument is wrong
  | 'checkpoint' // a model folder, file, tensor or configuration is wrong
  | 'prompt' // the prompt does not fit or cannot be encoded
  | 'adapter' // no adapter, or none that fits
  | 'memory' // the model does not fit, or an allocation failed
  | 'device' // the device was lost or a GPU operation failed
  | 'network' // the Hub could not be reached
  | 'worker' // no worker of a cluster answers
  | 'internal'; // a fault of ours

export interface ErrorDetails extends ErrorOptions {
  /** The option that is wrong. */
  readonly option?: AnyOptionName;
}

/**
 * An error a user can act on: `message` is one sentence that names the file, tensor or option and says what to do, with
 * options under the library's names. The command line prints it without a stack trace and under names of its own.
 */
export class RidgepointError extends Error {
  override readonly name = 'RidgepointError';
  /** The option that is wrong, where it is one. */
  readonly option: AnyOptionName | undefined;
  /** The message with its options still to be named. */
  readonly wording: Wording;

  /** By what it is, since a page may have two copies of this class: its own, and that of an engine loaded as a text. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'RidgepointError' && 'wording' in value;
  }

  constructor(
    readonly code: ErrorCode,
    message: string | Wording,
    details: ErrorDetails = {},
  ) {
    const wording = typeof message === 'string' ? [message] : message;
    super(inLibraryWords(wording), details);
    this.wording = wording;
    this.option = details.option;
  }
}
