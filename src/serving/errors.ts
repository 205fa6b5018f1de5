import { entryOf, flagOf } from '../engine/options/table.js';
import { RidgepointError } from '../errors.js';
import { isOfCommand, spelt, type AnyOptionName, type Mention, type OptionName } from '../wording.js';

export type ApiErrorType =
  'invalid_request_error' | 'authentication_error' | 'not_found_error' | 'rate_limit_error' | 'server_error';

export interface ApiErrorDetails {
  readonly type?: ApiErrorType;
  /** The request's field that is wrong, for example `messages.0.content`. */
  readonly param?: string;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An error as OpenAI's API words it: a status and a body that its clients turn into typed errors. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly type: ApiErrorType;
  readonly param: string | null;
  readonly code: string | null;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly status: number,
    message: string,
    details: ApiErrorDetails = {},
  ) {
    super(short(message), { cause: details.cause });
    this.type = details.type ?? (status < 500 ? 'invalid_request_error' : 'server_error');
    this.param = details.param ?? null;
    this.code = details.code ?? null;
    this.headers = details.headers ?? {};
  }

  body(): { error: { message: string; type: string; param: string | null; code: string | null } } {
    const { message, type, param, code } = this;
    return { error: { message, type, param, code } };
  }
}

/** Characters of a message before and behind what is left out of it. */
const BEFORE = 600;
const BEHIND = 200;

/** What a message quotes of a request may be megabytes. */
function short(message: string): string {
  if (message.length <= BEFORE + BEHIND) return message;
  // A character that is cut in two would be none.
  return new TextDecoder().decode(new TextEncoder().encode(`${message.slice(0, BEFORE)} … ${message.slice(-BEHIND)}`));
}

/** A request that cannot be served as it is. */
export function badRequest(message: string, param?: string, code?: string): ApiError {
  return new ApiError(400, message, { param, code });
}

/** An option as a request has it; one that is the server's goes by the flag of whoever started it. */
const inRequest = ({ option, value }: Mention<OptionName>): string => {
  const name = entryOf(option).wire ?? flagOf(option) ?? option;
  return value === undefined ? name : `${name} ${value}`;
};

const wireOf = (name: AnyOptionName | undefined): string | undefined =>
  name === undefined || isOfCommand(name) ? undefined : entryOf(name).wire;

/** Says of any failure what a client may know of it; what is ours to know is in `cause`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RidgepointError) {
    if (error.code === 'usage' || error.code === 'prompt') {
      return badRequest(spelt(error.wording, inRequest), wireOf(error.option));
    }
    if (error.code === 'worker') {
      const headers = { 'retry-after': '5' };
      return new ApiError(503, spelt(error.wording, inRequest), { code: 'no_worker', headers, cause: error });
    }
    return new ApiError(500, spelt(error.wording, inRequest), { code: error.code, cause: error });
  }
  return fromHttp(error) ?? new ApiError(500, 'the server failed on this request', { cause: error });
}

export const bodyTooLarge = (): ApiError =>
  new ApiError(413, 'the request body is larger than this server takes', { code: 'request_too_large' });

export const bodyNotJson = (): ApiError =>
  new ApiError(415, 'the body must be JSON, sent with content-type: application/json');

/** Errors of the HTTP framework: bodies too large, of another type, not finished. */
function fromHttp(error: unknown): ApiError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const { statusCode, code } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return bodyTooLarge();
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return bodyNotJson();
    default:
      return new ApiError(statusCode, error.message);
  }
}
