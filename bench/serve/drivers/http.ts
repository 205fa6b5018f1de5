import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** How much of an error's body is read. */
const MOST_ERROR = 4096;

/** A status other than 2xx. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/**
 * JSON over HTTP with connections that are kept and used again. Node's own client rather than `fetch`: bytes are seen
 * as they come off the socket, and a first token may take as long as it likes.
 */
export class HttpClient {
  readonly #agent: HttpAgent;
  readonly #request: typeof httpRequest;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: URL, headers: Readonly<Record<string, string>>) {
    this.#base = base;
    this.#headers = headers;
    const secure = base.protocol === 'https:';
    this.#agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
    this.#request = secure ? httpsRequest : httpRequest;
  }

  /** @throws HttpError for a status other than 2xx, with what the server says */
  async send(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<IncomingMessage> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.#exchange(method, path, text, signal);
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    throw new HttpError(status, `HTTP ${status}: ${messageIn(await read(response, MOST_ERROR))}`);
  }

  async json(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
    return JSON.parse(await read(await this.send(method, path, body, signal), Infinity)) as unknown;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** Sent once more where the server closed a kept connection just when it was used again. */
  async #exchange(method: string, path: string, text: string | undefined, signal?: AbortSignal, again = true) {
    return new Promise<IncomingMessage>((resolve, reject) => {
      const url = new URL(this.#base.href.replace(/\/$/, '') + path);
      const headers = {
        ...this.#headers,
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      };
      const outgoing = this.#request(url, { method, headers, agent: this.#agent, signal });
      outgoing.on('response', resolve);
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const stale = outgoing.reusedSocket && error.code === 'ECONNRESET' && !signal?.aborted;
        if (stale && again) this.#exchange(method, path, text, signal, false).then(resolve, reject);
        else reject(error);
      });
      outgoing.end(text);
    });
  }
}

async function read(response: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    length += part.length;
    if (length > most) break;
  }
  return Buffer.concat(parts).toString().slice(0, most);
}

/** What an error's body says: OpenAI's `error.message`, else its text. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } | string };
    const message = typeof error === 'string' ? error : error?.message;
    if (message !== undefined) return message;
  } catch {
    // no JSON: as it is
  }
  return text.trim().replace(/\s+/g, ' ').slice(0, 200) || 'no message';
}
