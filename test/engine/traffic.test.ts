import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { EngineOptions, GenerateOptions, TokenConstraint } from '../../src/engine/api.js';
import { random } from '../reference/compare.js';
import { adapters } from '../support/adapters.js';
import { chosen, isFull, scaled } from '../support/scale.js';
import { adapter, TINY, tinyFolder, withEngine } from './support.js';

interface Kind {
  readonly prompt: number[];
  readonly options: GenerateOptions;
  /** Whether a constraint forbids some tokens, other ones each time. */
  readonly constrained: boolean;
}

const numbers = random(3);
const ids = (count: number): number[] => Array.from({ length: count }, () => numbers.integer(TINY.vocab_size));
const BEGINNING = ids(40);

/** Prompts that begin alike and others; greedy and sampled; with penalties, biases and constraints. */
const KINDS = Array.from({ length: 16 }, (_, i): Kind => ({
  prompt: [...(i % 4 < 2 ? BEGINNING.slice(0, 16 + numbers.integer(24)) : []), ...ids(1 + numbers.integer(20))],
  options: {
    ignoreEos: i % 3 !== 0,
    maxTokens: 1 + numbers.integer(50),
    temperature: i % 2 === 0 ? 0 : 0.5 + numbers.next(),
    topK: i % 4 === 1 ? 10 : 0,
    repetitionPenalty: i % 5 === 2 ? 1.4 : 1,
    presencePenalty: i % 7 === 4 ? 1 : 0,
    logitBias: i % 6 === 5 ? { 7: 2 } : undefined,
    seed: i,
  },
  constrained: i % 8 === 6,
}));

/** Requests that outgrow the memory they begin in. */
const LONG = [ids(3), ids(9), ids(14)].map((prompt): Kind => ({
  prompt,
  options: { ignoreEos: true, temperature: 0, maxTokens: 100 },
  constrained: false,
}));
KINDS.push(...LONG);

function constraint(): TokenConstraint {
  let taken = 0;
  const may = (id: number): boolean => id % (taken + 2) !== 1;
  return {
    allowed() {
      const words = new Uint32Array(Math.ceil(TINY.vocab_size / 32));
      for (let id = 0; id < TINY.vocab_size; id++) if (may(id)) words[id >> 5] |= 1 << (id & 31);
      return words;
    },
    accept(id) {
      if (!may(id)) throw new RangeError(`id ${id} was not allowed`);
      taken++;
    },
  };
}

const optionsOf = ({ options, constrained }: Kind): GenerateOptions =>
  constrained ? { ...options, constraint: constraint() } : options;

/** Memory for hardly two of the longer ones. */
const TIGHT: EngineOptions = { contextLength: 128, maxSequences: 4, kvCacheTokens: 128 };
const ENGINES: Record<string, EngineOptions> = {
  chunked: { policy: 'chunked', prefillChunk: 11 },
  'chunked, guessing ahead': { policy: 'chunked', prefillChunk: 23, speculate: { lookup: 1, tokens: 4 } },
  'chunked, few rows': { policy: 'chunked', prefillChunk: 50, maxBatchedTokens: 9, prefixCaching: false },
  'prefill-first': { policy: 'prefill-first' },
  'prefill-first, guessing ahead': { policy: 'prefill-first', speculate: { lookup: 2, tokens: 3 } },
  'decode-priority': { policy: 'decode-priority', decodeSloMs: 3 },
  static: { policy: 'static', prefillChunk: 17 },
};

const traffic = fc.array(
  fc.record({
    kind: fc.nat({ max: KINDS.length - 1 }),
    priority: fc.constantFrom(0, 0, 0, 1, -1),
    /** Milliseconds before the next request. */
    pause: fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat({ max: 6 }) }),
    /** Tokens after which the consumer leaves; nobody leaves where it is absent. */
    leaves: fc.option(fc.nat({ max: 10 }), { nil: undefined, freq: 4 }),
  }),
  { minLength: 2, maxLength: 14, size: 'max' },
);

/** The policy that mixes phases, with guesses. */
const QUICK = ['chunked, guessing ahead'];

/** Every engine over the usual cache; over one of int8, whose rows are written otherwise, the one that mixes most. */
const CASES = adapters
  .flatMap((name) => [
    {
      name,
      kvDtype: 'f32' as const,
      engines: chosen(Object.entries(ENGINES), ([each]) => QUICK.includes(each)),
      runs: name === adapter ? 24 : 8,
    },
    {
      ...{ name, kvDtype: 'int8' as const, runs: 8 },
      engines: Object.entries(ENGINES).filter(([each]) => isFull && each === 'chunked, guessing ahead'),
    },
  ])
  .filter(({ engines }) => engines.length > 0);

describe.each(CASES)('in whatever traffic on $name, $kvDtype cache', ({ name, kvDtype, engines, runs }) => {
  const model = tinyFolder();
  const alone: number[][] = [];
  const common = { adapter: name, model, kvDtype };
  beforeAll(() =>
    withEngine({ ...common, contextLength: 128, maxSequences: 1, prefixCaching: false }, async (engine) => {
      for (const kind of KINDS) alone.push([...(await engine.generate(kind.prompt, optionsOf(kind)).result).ids]);
    }),
  );

  it.each(engines)('every generation gives the ids it gives alone, %s', async (_, options) => {
    await withEngine({ ...TIGHT, ...options, ...common }, async (engine) => {
      const results = LONG.map((kind) => engine.generate(kind.prompt, kind.options).result);
      const longIds = (await Promise.all(results)).map((result) => result.ids);
      expect(longIds).toEqual(alone.slice(-LONG.length));
      expect(engine.stats().preemptions).toBeGreaterThan(0);
      await fc.assert(
        fc.asyncProperty(traffic, async (requests) => {
          const ends: Promise<void>[] = [];
          for (const { kind, priority, pause, leaves } of requests) {
            const generation = engine.generate(KINDS[kind].prompt, { ...optionsOf(KINDS[kind]), priority });
            const consume = async (): Promise<void> => {
              let seen = 0;
              if (leaves !== undefined)
                for await (const { ids } of generation) if ((seen += ids.length) > leaves) break;
              const { ids, finishReason } = await generation.result;
              expect(ids).toEqual(finishReason === 'abort' ? alone[kind].slice(0, ids.length) : alone[kind]);
            };
            ends.push(consume());
            if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
          }
          await Promise.all(ends);
          expect(engine.stats()).toMatchObject({ waiting: 0, running: 0, kvBlocks: 8, kvBlocksFree: 8 });
        }),
        { numRuns: scaled(runs, 3) },
      );
      // Few runs may happen to share no beginning.
      for (let again = 0; again < 2; again++) await engine.generate(BEGINNING, { maxTokens: 1 }).result;
      const { prefixHitTokens, acceptedTokens, speculatedTokens } = engine.stats();
      expect(prefixHitTokens > 0).toBe(options.prefixCaching ?? true);
      expect(acceptedTokens > 0).toBe(options.speculate !== undefined);
      expect(acceptedTokens).toBeLessThanOrEqual(speculatedTokens);
    });
  });
});
