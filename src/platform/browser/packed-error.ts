import { RidgepointError, type ErrorCode } from '../../errors.js';
import type { AnyOptionName, Wording } from '../../wording.js';

/** An error on its way between threads, which would make any error a plain one. */
export interface PackedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Of a `RidgepointError`. */
  readonly ours?: { readonly code: ErrorCode; readonly wording: Wording; readonly option: AnyOptionName | undefined };
}

export function packError(error: unknown): PackedError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: undefined };
  const { name, message, stack } = error;
  if (!(error instanceof RidgepointError)) return { name, message, stack };
  const { code, wording, option } = error;
  return { name, message, stack, ours: { code, wording, option } };
}

export function unpackError({ name, message, stack, ours }: PackedError): Error {
  if (ours !== undefined) {
    const error = new RidgepointError(ours.code, ours.wording, { option: ours.option });
    error.stack = stack;
    return error;
  }
  if (name === 'AbortError') return new DOMException(message, name);
  return Object.assign(new Error(message), { name, stack });
}
