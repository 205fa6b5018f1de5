import type { ApiPart, ApiRequest } from './calls.js';

/** Has a request answered elsewhere: told of the head, then of bytes; ends, or fails as the other end did. */
export type Ask = (request: ApiRequest, onPart: (part: ApiPart) => void, signal: AbortSignal) => Promise<void>;

/**
 * A `fetch` whose answers come over a wire.
 *
 * @throws what aborted it; whatever the other end fails with
 */
export async function remoteFetch(request: Request, code: string | undefined, ask: Ask): Promise<Response> {
  const { url, method, headers, signal } = request;
  signal.throwIfAborted();
  const body = method === 'GET' || method === 'HEAD' ? undefined : await request.arrayBuffer();
  const asked: ApiRequest = { url, method, headers: [...headers], body, code };
  // Its reader may leave, too.
  const control = new AbortController();
  const abort = (): void => control.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  return new Promise<Response>((resolve, reject) => {
    let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
    const answered = ask(
      asked,
      (part) => {
        if ('bytes' in part) {
          if (!control.signal.aborted) stream?.enqueue(part.bytes);
          return;
        }
        const bytes = new ReadableStream<Uint8Array>({
          start: (opened) => void (stream = opened),
          cancel: () => control.abort(),
        });
        resolve(new Response(bytes, { status: part.status, headers: [...part.headers] }));
      },
      control.signal,
    );
    const left = (): void => signal.removeEventListener('abort', abort);
    answered.then(
      () => {
        left();
        if (!control.signal.aborted) stream?.close();
      },
      (error: unknown) => {
        left();
        const reason: unknown = signal.aborted ? signal.reason : error;
        if (stream === undefined) reject(reason);
        else if (signal.aborted || !control.signal.aborted) stream.error(reason);
      },
    );
  });
}
