import { RidgepointError } from '../errors.js';

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
    super(message, { cause: details.cause });
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

/** A request that cannot be served as it is. */
export function badRequest(message: string, param?: string, code?: string): ApiError {
  return new ApiError(400, message, { param, code });
}

const OPTION_NAMES =
  /\b(?:maxTokens|topK|topP|minP|(?:repetition|presence|frequency)Penalty|logitBias|ignoreEos|stopIds)\b/g;

/** The engine speaks of the library's options, a request of the API's. */
function withFieldNames(message: string): { message: string; param: string | undefined } {
  const named = message.replace(OPTION_NAMES, (name) =>
    name === 'stopIds' ? 'stop_token_ids' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  );
  const param = /^([a-z_]+) (?:must|names)/.exec(named)?.[1];
  return { message: named, param };
}

/** Says of any failure what a client may know of it; what is ours to know is in `cause`. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof RidgepointError) {
    if (error.code === 'usage' || error.code === 'prompt') {
      const { message, param } = withFieldNames(error.message);
      return badRequest(message, param);
    }
    return new ApiError(500, error.message, { code: error.code, cause: error });
  }
  return fromHttp(error) ?? new ApiError(500, 'the server failed on this request', { cause: error });
}

/** Errors of the HTTP framework: bodies too large, of another type, not finished. */
function fromHttp(error: unknown): ApiError | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || !('code' in error)) return undefined;
  const { statusCode, code } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new ApiError(413, 'the request body is larger than this server takes', { code: 'request_too_large' });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiError(415, 'the body must be JSON, sent with content-type: application/json');
    default:
      return new ApiError(statusCode, error.message);
  }
}
