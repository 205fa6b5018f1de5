import type { EngineInfo, RequestRoute } from '../engine/api.js';
import type { RunningGeneration } from '../engine/generation.js';
import type { CheckedGeneration } from '../engine/text-side.js';
import type { ConstraintDescription } from '../grammar/description.js';
import { promptWork, type Placeable, type Placement, type PromptWork } from './placement.js';
import type { RunBegin, RunKey, RunOptions, RunRequest } from './run-request.js';

/** No bias matters more, and JSON has no word for infinity. */
const MOST_BIAS = 1e30;

/** Work that a worker has of it. */
interface Share {
  readonly prompted: () => void;
  readonly over: () => void;
}

/** A request on its way through a router. */
export class RouterJob {
  readonly id: string;
  readonly generation: RunningGeneration;
  /** Of the prompt's blocks. */
  readonly names: readonly string[];
  /** When an attempt was lost, until the next token. */
  lostAt: number | undefined;
  /** When something last came of it, or it was given to a worker. */
  heardAt = performance.now();
  readonly #checked: CheckedGeneration;
  readonly #constraint: ConstraintDescription | undefined;
  readonly #options: RunOptions;
  #placement: Placement | undefined;
  #attempts = 0;
  #shares: Share[] = [];
  #kv: RunBegin['kv'];
  #waiting: ReturnType<typeof setTimeout> | undefined;

  constructor(
    id: string,
    generation: RunningGeneration,
    about: {
      readonly checked: CheckedGeneration;
      readonly names: readonly string[];
      readonly constraint: ConstraintDescription | undefined;
    },
  ) {
    this.id = id;
    this.generation = generation;
    this.names = about.names;
    this.#checked = about.checked;
    this.#constraint = about.constraint;
    this.#options = runOptions(about.checked);
    generation.result.finally(() => clearTimeout(this.#waiting)).catch(() => undefined);
  }

  /** What came from a prefill worker, as far as whoever decodes has said. */
  get kv(): RunBegin['kv'] {
    return this.#kv;
  }

  placeable({ kvCacheBytes, kvCacheTokens, prefillChunk }: EngineInfo): Omit<Placeable, 'lostBy'> {
    const promptTokens = this.#checked.promptIds.length;
    return { promptTokens, tokenBytes: kvCacheBytes / kvCacheTokens, chunk: prefillChunk };
  }

  /** Nobody can have it for now. */
  waits(ms: number, inVain: () => void): void {
    this.#waiting ??= setTimeout(inVain, ms);
  }

  /** @param begin takes note of work that a worker has */
  placed(placement: Placement, begin: (worker: string, work: PromptWork) => Share): void {
    clearTimeout(this.#waiting);
    this.#waiting = undefined;
    this.#placement = placement;
    this.#attempts++;
    this.heardAt = performance.now();
    this.#kv = undefined;
    const { decode, prefill } = placement;
    const tokens = this.#checked.promptIds.length;
    this.#shares = [
      begin(decode.name, prefill === undefined ? promptWork(decode.hit, tokens) : promptWork(tokens, tokens)),
      ...(prefill === undefined ? [] : [begin(prefill.name, promptWork(prefill.hit, tokens))]),
    ];
  }

  /** @param ids that are there */
  request(key: RunKey, ids: readonly number[]): RunRequest {
    return {
      ...key,
      prompt: this.#checked.promptIds,
      resume: ids,
      options: this.#options,
      constraint: this.#constraint,
      prefill: this.#placement?.prefill?.address,
    };
  }

  /** Its first token of an attempt has come. @returns whether that is news */
  began({ cachedTokens, kv }: RunBegin): boolean {
    const [decode, prefill] = this.#shares;
    decode?.prompted();
    prefill?.over();
    if (this.#attempts === 1) this.generation.sequence.cachedTokens = cachedTokens;
    if (this.#kv !== undefined) return false;
    this.#kv = kv;
    return true;
  }

  /** Nobody works at it any more. */
  over(): void {
    for (const share of this.#shares.splice(0)) share.over();
  }

  route(): RequestRoute {
    return {
      decodeWorker: this.#placement?.decode.name,
      prefillWorker: this.#placement?.prefill?.name,
      kvBytes: this.#kv?.bytes ?? 0,
      kvMs: this.#kv?.ms ?? 0,
      attempts: this.#attempts,
    };
  }
}

/** All that is not about text. */
function runOptions({ options, sampling, maxTokens }: CheckedGeneration): RunOptions {
  const { minTokens, ignoreEos, stopIds, logprobs, priority } = options;
  const logitBias = Object.fromEntries(
    Object.entries(sampling.logitBias).map(([id, bias]) => [id, Math.max(-MOST_BIAS, Math.min(MOST_BIAS, bias))]),
  );
  return { ...sampling, logitBias, maxTokens, minTokens, ignoreEos, stopIds, logprobs, priority };
}
