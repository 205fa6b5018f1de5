import type { FastifyReply } from 'fastify';
import type { FinishReason, GenerationChunk, GenerationResult } from '../engine/api.js';
import type { ChoiceEvent } from './choices.js';
import { toApiError } from './errors.js';
import { EventStream, ReaderGone } from './http/sse.js';
import { finishReason } from './mapping/finish.js';
import { usageOf, type Usage } from './mapping/usage.js';

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
 * Sends events as they come. A failure after the head is out becomes an event of its own, without the `[DONE]` of a
 * complete answer.
 *
 * @returns the failure, for the log
 */
export async function streamAnswer(
  reply: FastifyReply,
  events: AsyncIterable<ChoiceEvent>,
  format: AnswerFormat,
  options: { readonly n: number; readonly includeUsage: boolean; readonly stallMs: number },
): Promise<unknown> {
  reply.hijack();
  const stream = new EventStream(reply.raw, options.stallMs);
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
    }
    if (options.includeUsage) await stream.send(format.usage(usageOf(results, options.n)));
    await stream.send('[DONE]');
    return undefined;
  } catch (error) {
    if (!(error instanceof ReaderGone)) await stream.send(toApiError(error).body()).catch(() => undefined);
    return error;
  } finally {
    stream.end();
  }
}
