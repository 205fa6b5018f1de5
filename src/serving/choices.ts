import type { GenerateOptions, Generation, GenerationChunk, GenerationResult, TextEngine } from '../engine/api.js';
import { toApiError } from './errors.js';
import type { Lifetime } from './http/lifetime.js';
import { Turns } from './http/turns.js';
import { Mailbox } from './mailbox.js';
import type { RequestObserver } from './observer.js';

/** One generation of a request. */
export interface Choice {
  readonly promptIds: readonly number[];
  readonly options: GenerateOptions;
}

/** Who looks on while choices run. */
export interface ChoicesWatch {
  started(index: number, generation: Generation): void;
  got(index: number, ids: readonly number[]): void;
}

/** What happens to a choice: chunks, and at its end the result. */
export type ChoiceEvent =
  | { readonly index: number; readonly chunk: GenerationChunk }
  | { readonly index: number; readonly result: GenerationResult };

/**
 * Runs a request's choices together. Each is read as fast as the engine delivers, whatever the client does: a slow
 * reader must not hold cache blocks for longer than its tokens take. What it has not read yet waits here, at most
 * `maxTokens` chunks a choice.
 *
 * @param watch told of each that the engine has got, and of all ids that come
 * @returns events in the order in which they happen; they end with the last result, and fail as soon as one choice
 *   fails or is aborted, which ends the others, or the request's life ends, which drops what waits
 * @throws RidgepointError where the engine refuses a choice; those before it are ended
 */
export async function runChoices(
  engine: TextEngine,
  choices: readonly Choice[],
  lifetime: Lifetime,
  observer: RequestObserver,
  watch: ChoicesWatch,
): Promise<Mailbox<ChoiceEvent>> {
  const events = new Mailbox<ChoiceEvent>();
  const { signal } = lifetime;
  let open = choices.length;
  const fail = (error: unknown): void => {
    lifetime.failure ??= toApiError(error);
    lifetime.end('failure');
  };
  const drop = (): void => events.drop(lifetime.error());
  if (signal.aborted) drop();
  else signal.addEventListener('abort', drop, { once: true });
  const read = async (index: number, chunks: AsyncIterable<GenerationChunk>, result: Promise<GenerationResult>) => {
    for await (const chunk of chunks) {
      observer.tokens(index, chunk.ids.length);
      watch.got(index, chunk.ids);
      events.push({ index, chunk });
    }
    const ended = await result;
    observer.ended(ended);
    if (ended.finishReason === 'abort') lifetime.end('failure');
    else events.push({ index, result: ended });
    if (--open === 0) events.end();
  };
  const turns = new Turns();
  for (const [index, { promptIds, options }] of choices.entries()) {
    await turns.pause();
    lifetime.throwIfEnded();
    if (options.maxTokens === 0) {
      events.push({ index, result: nothing(promptIds) });
      if (--open === 0) events.end();
      continue;
    }
    try {
      const generation = engine.generate(promptIds, { ...options, signal });
      observer.started();
      watch.started(index, generation);
      read(index, generation, generation.result).catch((error: unknown) => {
        observer.failed();
        fail(error);
      });
    } catch (error) {
      fail(error);
      throw error;
    }
  }
  return events;
}

/** The result of a choice that was to have no tokens. */
function nothing(promptIds: readonly number[]): GenerationResult {
  const times = { ttftMs: 0, tpotMs: undefined, e2eMs: 0 };
  return { text: '', promptIds, ids: [], cachedTokens: 0, finishReason: 'length', seed: 0, ...times };
}
