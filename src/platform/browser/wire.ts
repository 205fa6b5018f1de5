/** Calls over a message port: answers, parts of them on the way, errors and cancelling. Both of its ends are here. */
import { packError, unpackError, type PackedError } from './packed-error.js';

type ToEngine =
  | { readonly id: number; readonly call: string; readonly args: unknown }
  | { readonly id: number; readonly cancel: true };

type FromEngine =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: PackedError }
  | { readonly id: number; readonly part: unknown };

/** A call: its arguments, what it gives, and what it tells on the way. */
export interface CallShape {
  readonly args: unknown;
  readonly value: unknown;
  readonly part?: unknown;
}

type PartOf<T> = T extends { readonly part: infer P } ? P : never;

export interface CallOptions<Part> {
  /** Told of what comes before the answer. */
  readonly onPart?: (part: Part) => void;
  /** Asks the other end to give up; it still answers. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
  readonly onPart: ((part: never) => void) | undefined;
}

/** The end that asks. */
export class WireClient<Calls extends Record<keyof Calls, CallShape>> {
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #broken: Error | undefined;

  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.onmessage = ({ data }) => this.#receive(data as FromEngine);
  }

  /** @throws what the other end threw, as it was */
  call<Name extends keyof Calls & string>(
    call: Name,
    args: Calls[Name]['args'],
    { onPart, signal }: CallOptions<PartOf<Calls[Name]>> = {},
  ): Promise<Calls[Name]['value']> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    const id = this.#nextId++;
    const cancel = (): void => this.#port.postMessage({ id, cancel: true } satisfies ToEngine);
    const answer = new Promise<Calls[Name]['value']>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, onPart });
      try {
        this.#port.postMessage({ id, call, args } satisfies ToEngine);
      } catch (error) {
        this.#waiting.delete(id);
        reject(error);
        return;
      }
      if (signal?.aborted) cancel();
      else signal?.addEventListener('abort', cancel, { once: true });
    });
    const settled = (): void => signal?.removeEventListener('abort', cancel);
    answer.then(settled, settled);
    return answer;
  }

  /** Nobody answers any more. */
  break(error: Error): void {
    this.#broken ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#port.close();
  }

  #receive(message: FromEngine): void {
    const waiting = this.#waiting.get(message.id);
    if (waiting === undefined) return;
    if ('part' in message) {
      waiting.onPart?.(message.part as never);
      return;
    }
    this.#waiting.delete(message.id);
    if ('error' in message) waiting.reject(unpackError(message.error));
    else waiting.resolve(message.value as never);
  }
}

/** A call being answered. */
export interface Answering<Part> {
  /** Aborted when the caller does not want the answer any more, or is gone. */
  readonly signal: AbortSignal;
  /** Tells the caller something before the answer. */
  readonly part: (part: Part) => void;
}

export type Answers<Calls extends Record<keyof Calls, CallShape>> = {
  readonly [Name in keyof Calls]: (
    args: Calls[Name]['args'],
    answering: Answering<PartOf<Calls[Name]>>,
  ) => Calls[Name]['value'] | Promise<Calls[Name]['value']>;
};

/**
 * The end that answers.
 *
 * @returns ends what is under way, for when the caller is gone
 */
export function answerCalls<Calls extends Record<keyof Calls, CallShape>>(
  port: MessagePort,
  answers: Answers<Calls>,
): () => void {
  const running = new Map<number, AbortController>();
  const send = (message: FromEngine): void => port.postMessage(message);
  const answer = async (id: number, call: keyof Calls, args: Calls[keyof Calls]['args']): Promise<void> => {
    const control = new AbortController();
    running.set(id, control);
    try {
      const value = await answers[call](args, { signal: control.signal, part: (part) => send({ id, part }) });
      send({ id, value });
    } catch (error) {
      send({ id, error: packError(error) });
    } finally {
      running.delete(id);
    }
  };
  port.onmessage = ({ data }) => {
    const message = data as ToEngine;
    if ('cancel' in message) running.get(message.id)?.abort();
    else void answer(message.id, message.call as keyof Calls, message.args);
  };
  return () => {
    for (const control of running.values()) control.abort();
  };
}
