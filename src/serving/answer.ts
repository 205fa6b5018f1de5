import type { FinishReason, GenerationChunk, GenerationResult } from '../engine/api.js';
import type { ChoiceEvent } from './choices.js';
import type { Mailbox } from './mailbox.js';
import { toApiError, type ApiError } from './errors.js';
import { utf8Length } from './bytes.js';
import { type Delivery, ReaderGone } from './http/delivery.js';
import { EventStream } from './http/sse.js';
import { Turns } from './http/turns.js';
import { finishReason } from './mapping/finish.js';
import { jsonPieces } from './mapping/json-pieces.js';
import { usageOf, type Usage } from './mapping/usage.js';

/** Up to so many characters, an answer goes out in one piece, with its length in its head. */
const SHORT = 64 * 1024;

/** A choice that has ended, and all its chunks. */
export interface EndedChoice {
  readonly index: number;
  readonly chunks: readonly GenerationChunk[];
  readonly result: GenerationResult;
  readonly finish: 'stop' | 'length';
}

/** One event of a stream, or several. */
export type Events = object | readonly object[];

/** How an endpoint words its answer. */
export interface AnswerFormat {
  /** What is sent before a choice's first chunk, if anything. */
  opening(index: number): Events | undefined;
  /** Events, or the JSON of one. */
  chunk(index: number, chunk: GenerationChunk): Events | string;
  closing(index: number, finish: 'stop' | 'length', result: GenerationResult): Events;
  /** What ends a stream. */
  usage(usage: Usage): Events;
  /** How a failure in the middle of a stream is told; default as any error. */
  failure?(error: ApiError): object;
  /** Events have names, as their `type` says, and no `[DONE]` ends them. */
  readonly named?: boolean;
  /** Long lists may be iterables, made while they are written. */
  whole(choices: readonly EndedChoice[], usage: Usage): object;
}

const finishOf = (reason: FinishReason): 'stop' | 'length' => finishReason(reason as Exclude<FinishReason, 'abort'>);

/** Collects all events into one answer. */
export async function wholeAnswer(
  events: AsyncIterable<ChoiceEvent>,
  format: AnswerFormat,
  n: number,
): Promise<object> {
  const chunks: GenerationChunk[][] = [];
  const ended: EndedChoice[] = [];
  for await (const event of events) {
    const { index } = event;
    const own = (chunks[index] ??= []);
    if ('chunk' in event) own.push(event.chunk);
    else ended[index] = { index, chunks: own, result: event.result, finish: finishOf(event.result.finishReason) };
  }
  return format.whole(
    ended,
    usageOf(
      ended.map(({ result }) => result),
      n,
    ),
  );
}

/**
 * Sends a whole answer, piece by piece where it is long, at its reader's pace.
 *
 * @returns why it is not all out, for the log; its reader then sees the connection break
 * @throws ReaderGone; ApiError where the request ends before any of it is out
 */
export async function sendWhole(answer: object, delivery: Delivery): Promise<unknown> {
  const turns = new Turns();
  const pieces = jsonPieces(answer);
  let begin = '';
  let next = pieces.next();
  for (; next.done !== true && begin.length < SHORT; next = pieces.next()) {
    begin += next.value;
    await turns.pause();
  }
  delivery.assertGoing();
  const type = { 'content-type': 'application/json; charset=utf-8' };
  try {
    if (next.done === true) {
      delivery.head({ ...type, 'content-length': String(utf8Length(begin)) }, false);
      await delivery.end(begin);
      return undefined;
    }
    delivery.head(type, false);
    await delivery.write(begin);
    for (; next.done !== true; next = pieces.next()) {
      await delivery.write(next.value);
      await turns.pause();
    }
    await delivery.end();
    return undefined;
  } catch (error) {
    await delivery.breakOff();
    return error;
  }
}

/** Chunks that go out in one event at most. */
const MOST_MERGED = 64;

/**
 * Makes one chunk of those of a choice that follow each other: tokens that are ready together, as guesses that were
 * right and what a slow reader has not taken are, go out together.
 */
function merged(events: readonly ChoiceEvent[]): readonly ChoiceEvent[] {
  if (events.length < 2) return events;
  const result: ChoiceEvent[] = [];
  for (let at = 0; at < events.length;) {
    const first = events[at++];
    if (!('chunk' in first)) {
      result.push(first);
      continue;
    }
    const { index } = first;
    const chunks = [first.chunk];
    for (; at < events.length && chunks.length < MOST_MERGED; at++) {
      const next = events[at];
      if (!('chunk' in next) || next.index !== index) break;
      chunks.push(next.chunk);
    }
    result.push(chunks.length === 1 ? first : { index, chunk: mergedChunk(chunks) });
  }
  return result;
}

function mergedChunk(chunks: readonly GenerationChunk[]): GenerationChunk {
  const text = chunks.map((chunk) => chunk.text).join('');
  const ids = chunks.flatMap((chunk) => chunk.ids);
  if (chunks.every(({ logprobs }) => logprobs === undefined)) return { text, ids };
  return { text, ids, logprobs: chunks.flatMap(({ logprobs }) => logprobs ?? []) };
}

/**
 * Sends events as they come. A failure after the head is out becomes an event of its own, without the `[DONE]` of a
 * complete answer.
 *
 * @returns the failure, for the log
 */
export async function streamAnswer(
  events: Mailbox<ChoiceEvent>,
  format: AnswerFormat,
  delivery: Delivery,
  options: { readonly n: number; readonly includeUsage: boolean; readonly keepAliveMs: number },
): Promise<unknown> {
  const stream = new EventStream(delivery, { keepAliveMs: options.keepAliveMs, named: format.named });
  const turns = new Turns();
  stream.open();
  try {
    const opened = new Set<number>();
    const results: GenerationResult[] = [];
    for (;;) {
      const more = events.more();
      if (more !== undefined) await more;
      const ready = events.take();
      if (ready === undefined) break;
      for (const event of merged(ready)) {
        const { index } = event;
        const opening = opened.has(index) ? undefined : format.opening(index);
        if (opening !== undefined) stream.add(opening);
        opened.add(index);
        if ('chunk' in event) stream.add(format.chunk(index, event.chunk));
        else {
          results[index] = event.result;
          stream.add(format.closing(index, finishOf(event.result.finishReason), event.result));
        }
        // Without a promise where none is needed: this is done for each token.
        if (stream.isFull) await stream.flush();
        if (turns.over) await turns.pause();
      }
      const room = stream.flush();
      if (room !== undefined) await room;
    }
    if (options.includeUsage) stream.add(format.usage(usageOf(results, options.n)));
    if (!format.named) stream.add('[DONE]');
    await stream.end();
    return undefined;
  } catch (error) {
    const known = toApiError(error);
    await stream.breakOff(error instanceof ReaderGone ? undefined : (format.failure?.(known) ?? known.body()));
    return error;
  }
}
