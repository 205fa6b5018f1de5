import type { FastifyReply } from 'fastify';
import type { FinishReason, GenerationChunk, GenerationResult } from '../engine/api.js';
import type { ChoiceEvent } from './choices.js';
import { toApiError } from './errors.js';
import { type Delivery, ReaderGone } from './http/delivery.js';
import { copyHeaders, EventStream } from './http/sse.js';
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

/** How an endpoint words its answer. */
export interface AnswerFormat {
  /** What is sent before a choice's first chunk, if anything. */
  opening(index: number): object | undefined;
  chunk(index: number, chunk: GenerationChunk): object;
  closing(index: number, finish: 'stop' | 'length'): object;
  usage(usage: Usage): object;
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
export async function sendWhole(reply: FastifyReply, answer: object, delivery: Delivery): Promise<unknown> {
  const turns = new Turns();
  const pieces = jsonPieces(answer);
  let begin = '';
  let next = pieces.next();
  for (; next.done !== true && begin.length < SHORT; next = pieces.next()) {
    begin += next.value;
    await turns.pause();
  }
  delivery.assertGoing();
  reply.hijack();
  const { raw } = reply;
  copyHeaders(reply.getHeaders(), raw);
  raw.setHeader('content-type', 'application/json; charset=utf-8');
  try {
    if (next.done === true) {
      raw.setHeader('content-length', Buffer.byteLength(begin));
      await delivery.end(begin);
      return undefined;
    }
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

/**
 * Sends events as they come. A failure after the head is out becomes an event of its own, without the `[DONE]` of a
 * complete answer.
 *
 * @returns the failure, for the log
 */
export async function streamAnswer(
  reply: FastifyReply,
  events: AsyncIterable<ChoiceEvent>,
  format: AnswerFormat,
  delivery: Delivery,
  options: { readonly n: number; readonly includeUsage: boolean; readonly keepAliveMs: number },
): Promise<unknown> {
  reply.hijack();
  const stream = new EventStream(reply.raw, delivery, options.keepAliveMs);
  const turns = new Turns();
  stream.open(reply.getHeaders());
  try {
    const opened = new Set<number>();
    const results: GenerationResult[] = [];
    for await (const event of events) {
      const { index } = event;
      const opening = opened.has(index) ? undefined : format.opening(index);
      opened.add(index);
      if (opening !== undefined) await stream.send(opening);
      if ('chunk' in event) await stream.send(format.chunk(index, event.chunk));
      else {
        results[index] = event.result;
        await stream.send(format.closing(index, finishOf(event.result.finishReason)));
      }
      await turns.pause();
    }
    if (options.includeUsage) await stream.send(format.usage(usageOf(results, options.n)));
    await stream.end('[DONE]');
    return undefined;
  } catch (error) {
    await stream.breakOff(error instanceof ReaderGone ? undefined : toApiError(error).body());
    return error;
  }
}
