import { describe, expect, it } from 'vitest';
import type { EngineOptions } from '../../src/engine/api.js';
import { fitSizes, type EngineFit } from '../../src/engine/memory-fit.js';
import { checkMemory } from '../../src/engine/memory-plan.js';
import { LLAMA_2_7B as config } from '../support/model.js';

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** As the plan leaves free. */
const RESERVE = 256 * MIB;

const model = { model: '7b', config, dtype: 'f16', head: 'f16', rows: 'f16', lanes: 1, tied: false } as const;
const fit = (bytes: number | undefined, options: EngineOptions = {}): EngineFit =>
  fitSizes({
    options,
    model,
    memory: bytes === undefined ? undefined : { bytes, by: 'nvidia-smi' },
    shared: false,
    mostTokens: () => 1e9,
  });

const plenty = fit(100 * GIB);
/** Weights, a cache for one sequence, and what lies between operations in steps of a chunk. */
const needed = (chunk: number): number => fit(undefined, { prefillChunk: chunk, kvCacheTokens: 4096 }).plan.total;

describe('sizes of an engine', () => {
  it('are the usual ones where they fit or nobody knows', () => {
    expect(plenty.chunk).toBe(2048);
    expect(plenty.limits.stepTokens).toBe(2048 + 32);
    expect(plenty.cache.kvTokens).toBe(8 * 4096);
    expect(plenty.notice).toBeUndefined();
    expect(fit(undefined).chunk).toBe(2048);
    expect(fit(needed(2048) + RESERVE)).toMatchObject({ chunk: 2048, notice: undefined });
  });

  it('are steps of half as many tokens of a prompt, as often as needed, where memory is short', () => {
    // 7B in f16: 12.55 GiB of weights, 2 GiB of cache; a token of a step has 4 x (4096 x 2 + 12288) bytes of f32 rows
    // and 2 x (4096 x 2 + 11008) of f16 ones.
    expect(needed(2048) - needed(1024)).toBe(1024 * (4 * (4096 + 12288 + 4096) + 2 * (4096 + 4096 + 11008)));
    const short = fit(needed(2048) + RESERVE - 1);
    expect(short.chunk).toBe(1024);
    expect(short.limits.stepTokens).toBe(1024 + 32);
    expect(short.cache.kvTokens).toBe(4096);
    expect(short.notice).toBe(
      'memory is short: steps take 1024 tokens of a prompt instead of 2048, so prompts take longer',
    );
    expect(fit(needed(128) + RESERVE).chunk).toBe(128);
    expect(fit(needed(64) + RESERVE).chunk).toBe(64);
  });

  it('are refused where not even the shortest steps fit, and where other ones were asked for', () => {
    const refusal = (bytes: number, options?: EngineOptions) => (): void => {
      const { request, plan } = fit(bytes, options);
      checkMemory(request, plan, bytes, 'a card');
    };
    expect(refusal(needed(64) + RESERVE)).not.toThrow();
    expect(refusal(needed(64) + RESERVE - 1)).toThrow(
      /^out of GPU memory: 7b in f16 needs 14\.\d GiB .*context of 2048/,
    );
    const asked = refusal(needed(1024) + RESERVE, { prefillChunk: 2048 });
    expect(asked).toThrow(/steps of 1024 tokens of a prompt would fit \(prefillChunk 1024\)$/);
  });
});
