import type { KvSource } from '../../src/cluster/bring.js';
import { generateFrom, type Brought } from '../../src/cluster/bring.js';
import { TransferCounts } from '../../src/cluster/counts.js';
import type { GenerateOptions } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';

const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true };

/** Ends of steps and how long each took, in milliseconds of `performance.now()`. */
export class StepLog {
  #steps: { readonly end: number; readonly ms: number }[] = [];

  readonly onStep = (_batch: unknown, ms: number): void => void this.#steps.push({ end: performance.now(), ms });

  clear(): void {
    this.#steps = [];
  }

  /** From the first step's beginning to the last one's end, and the first step alone; since `clear`. */
  span(): { readonly prefillMs: number; readonly firstChunkMs: number } {
    const [first] = this.#steps;
    const last = this.#steps.at(-1);
    if (first === undefined || last === undefined) return { prefillMs: 0, firstChunkMs: 0 };
    return { prefillMs: last.end - first.end + first.ms, firstChunkMs: first.ms };
  }
}

/** A prompt computed by an engine for nobody. */
export async function prefillAlone(engine: CoreEngine, log: StepLog, prompt: readonly number[]) {
  log.clear();
  for await (const piece of engine.kv.prefill(prompt.slice(0, -1))) void piece;
  return log.span();
}

/** A request on one engine. */
export async function answerAlone(engine: CoreEngine, prompt: readonly number[], outputTokens: number) {
  const began = performance.now();
  const generation = engine.generate([...prompt], { ...GREEDY, maxTokens: outputTokens });
  let first: number | undefined;
  for await (const { ids } of generation) if (ids.length > 0) first ??= performance.now();
  const { ids } = await generation.result;
  return { ttftMs: first! - began, e2elMs: performance.now() - began, ids };
}

/** Time to the first token of a prompt that is in the cache but for its last block. */
export async function tailAlone(engine: CoreEngine, prompt: readonly number[]): Promise<number> {
  await answerAlone(engine, prompt, 1);
  return (await answerAlone(engine, prompt, 1)).ttftMs;
}

/** A request whose prompt another engine computes. */
export async function answerPair(
  engines: { readonly decode: CoreEngine; readonly source: KvSource; readonly log: StepLog },
  prompt: readonly number[],
  outputTokens: number,
) {
  const { decode, source, log } = engines;
  log.clear();
  let brought: Brought | undefined;
  const options = { ...GREEDY, maxTokens: outputTokens };
  const onBrought = (told: Brought): void => void (brought = told);
  const began = performance.now();
  const generation = generateFrom(decode, [...prompt], options, { source, counts: new TransferCounts(), onBrought });
  let first: number | undefined;
  for await (const { ids } of generation) if (ids.length > 0) first ??= performance.now();
  const { ids } = await generation.result;
  const e2elMs = performance.now() - began;
  const { prefillMs, firstChunkMs } = log.span();
  const ttftMs = first! - began;
  const kvMs = Math.min(brought?.ms ?? 0, ttftMs);
  return {
    ...{ e2elMs, ttftMs, prefillMs, firstChunkMs, kvMs, ids },
    exposedMs: kvMs - prefillMs,
    tailMs: ttftMs - kvMs,
    decodeMs: e2elMs - ttftMs,
    missing: brought === undefined ? 'nothing was asked for' : brought.missing,
  };
}
