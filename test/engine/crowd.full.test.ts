import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineOptions, GenerateOptions, PolicyName, TokenConstraint } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { Engine } from '../../src/index.js';
import { adapters } from '../support/adapters.js';
import { adapter } from './support.js';

const CONTEXT = 160;
const SYSTEM = 'There was a little town by the sea where all the animals could talk. ';

interface Kind {
  readonly prompt: string;
  readonly options: () => GenerateOptions;
}

/** Every other id, the other half in turn. */
function alternating(vocab: number): TokenConstraint {
  let odd = false;
  return {
    allowed: () => new Uint32Array(Math.ceil(vocab / 32)).fill(odd ? 0xaaaaaaaa : 0x55555555),
    accept(id) {
      if (id % 2 !== Number(odd)) throw new RangeError(`id ${id} was not allowed`);
      odd = !odd;
    },
  };
}

const greedy = (maxTokens: number, options: GenerateOptions = {}) => ({ temperature: 0, maxTokens, ...options });
const KINDS: readonly Kind[] = [
  { prompt: `${SYSTEM}One day a fox`, options: () => greedy(60) },
  { prompt: `${SYSTEM}One day a bird`, options: () => greedy(15) },
  { prompt: `${SYSTEM}${SYSTEM}${SYSTEM}The cat`, options: () => greedy(30) },
  { prompt: `${SYSTEM}One day a fox`, options: () => ({ temperature: 0.9, topP: 0.9, seed: 7, maxTokens: 50 }) },
  { prompt: 'Tom and Sue and Tom and Sue and Tom and Sue and Tom', options: () => greedy(45) },
  { prompt: 'Once', options: () => greedy(80) },
  { prompt: `${SYSTEM}The dog`, options: () => greedy(30, { repetitionPenalty: 1.3, frequencyPenalty: 0.2 }) },
  { prompt: 'A ball. A ball. A ball.', options: () => greedy(20, { constraint: alternating(2048) }) },
];

/** Memory for hardly two of the longer ones, chunks that end anywhere, and more requests than slots. */
const TIGHT: EngineOptions = { contextLength: CONTEXT, maxSequences: 4, kvCacheTokens: 112 };
const ENGINES: Record<string, EngineOptions & { policy: PolicyName }> = {
  chunked: { policy: 'chunked', prefillChunk: 13 },
  'chunked, guessing ahead': { policy: 'chunked', prefillChunk: 37, speculate: { lookup: 1, tokens: 4 } },
  'prefill-first': { policy: 'prefill-first' },
  'decode-priority': { policy: 'decode-priority', decodeSloMs: 8, prefillChunk: 40 },
  'static, guessing ahead': { policy: 'static', prefillChunk: 30, speculate: { lookup: 1, tokens: 3 } },
  'chunked without a prefix cache': { policy: 'chunked', prefillChunk: 24, prefixCaching: false },
};

const schedule = fc.array(
  fc.record({
    kind: fc.nat({ max: KINDS.length - 1 }),
    /** Milliseconds before the next request. */
    pause: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 20 }) }),
    priority: fc.constantFrom(0, 0, 0, 1, -1),
    /** Tokens after which it is aborted, if it is. */
    abortAfter: fc.option(fc.nat({ max: 15 }), { nil: undefined, freq: 6 }),
  }),
  { minLength: 3, maxLength: 7, size: 'max' },
);

/** Few schedules of the real model; `traffic.test.ts` tries hundreds on a smaller one. */
describe.each(adapters)('in a crowd on %s', (name) => {
  /** Schedules tried on each engine. */
  const runs = name === adapter ? 7 : 5;
  const alone: number[][] = [];
  const load = (options: EngineOptions): Promise<CoreEngine> => Engine.load({ adapter: name, ...options });
  beforeAll(async () => {
    const engine = await load({ contextLength: CONTEXT, maxSequences: 1, prefixCaching: false });
    for (const { prompt, options } of KINDS) {
      alone.push([...(await engine.generate(prompt, { ignoreEos: true, ...options() }).result).ids]);
    }
    await engine.dispose();
  });

  describe.each(Object.entries(ENGINES))('%s', (_, options) => {
    let engine: CoreEngine;
    beforeAll(async () => void (engine = await load({ ...TIGHT, ...options })));
    afterAll(() => engine.dispose());

    it('every request gets the ids it gets alone', async () => {
      await fc.assert(
        fc.asyncProperty(schedule, async (requests) => {
          const ends: Promise<void>[] = [];
          for (const { kind, pause, priority, abortAfter } of requests) {
            const { prompt, options } = KINDS[kind];
            const stop = new AbortController();
            const { signal } = stop;
            const generation = engine.generate(prompt, { ignoreEos: true, priority, signal, ...options() });
            const consume = async (): Promise<void> => {
              let seen = 0;
              for await (const { ids } of generation) {
                seen += ids.length;
                if (abortAfter !== undefined && seen > abortAfter) stop.abort();
              }
              const { ids, finishReason } = await generation.result;
              if (finishReason !== 'abort') expect(ids, `${kind}`).toEqual(alone[kind]);
              else expect(ids, `${kind} aborted`).toEqual(alone[kind].slice(0, ids.length));
            };
            ends.push(consume());
            if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
          }
          await Promise.all(ends);
          const { waiting, running, kvBlocks, kvBlocksFree } = engine.stats();
          expect({ waiting, running, kvBlocksFree }).toEqual({ waiting: 0, running: 0, kvBlocksFree: kvBlocks });
        }),
        { numRuns: runs },
      );
      const stats = engine.stats();
      expect(stats.kvBlocks).toBe(7);
      expect(stats.prefixHitTokens > 0).toBe(options.prefixCaching ?? true);
      expect(stats.prefixHitTokens).toBeLessThanOrEqual(stats.prefixQueriedTokens);
      expect(stats.acceptedTokens).toBeLessThanOrEqual(stats.speculatedTokens);
    });
  });
});
