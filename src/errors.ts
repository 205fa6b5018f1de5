/** What went wrong, for exit codes and for programs that must tell one failure from another. */
export type ErrorCode =
  | 'usage' // an option or argument is wrong
  | 'checkpoint' // a model folder, file, tensor or configuration is wrong
  | 'prompt' // the prompt does not fit or cannot be encoded
  | 'adapter' // no adapter, or none that fits
  | 'memory' // the model does not fit, or an allocation failed
  | 'device' // the device was lost or a GPU operation failed
  | 'network' // the Hub could not be reached
  | 'internal'; // a fault of ours

/**
 * An error a user can act on: `message` is one sentence that names the file, tensor or option and says what to do.
 * The command line prints it without a stack trace.
 */
export class RidgepointError extends Error {
  override readonly name = 'RidgepointError';

  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
