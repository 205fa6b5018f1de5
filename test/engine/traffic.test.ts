import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/engine/api.js';
import { random } from '../reference/compare.js';
import { TINY, tinyFolder, withEngine } from './support.js';

interface Kind {
  prompt: number[];
  options: GenerateOptions;
}

const numbers = random(3);
const KINDS = Array.from({ length: 12 }, (_, i): Kind => ({
  prompt: Array.from({ length: 1 + numbers.integer(50) }, () => numbers.integer(TINY.vocab_size)),
  options: {
    ignoreEos: i % 3 !== 0,
    maxTokens: 1 + numbers.integer(30),
    temperature: i % 2 === 0 ? 0 : 0.5 + numbers.next(),
    topK: i % 4 === 1 ? 10 : 0,
    repetitionPenalty: i % 3 === 2 ? 1.4 : 1,
    presencePenalty: i % 5 === 4 ? 1 : 0,
    logitBias: i % 6 === 5 ? { 7: 2 } : undefined,
    seed: i,
  },
}));

const traffic = fc.array(
  fc.record({
    kind: fc.nat({ max: KINDS.length - 1 }),
    /** Milliseconds before the next request. */
    pause: fc.oneof(fc.constant(0), fc.nat({ max: 6 })),
    /** Chunks after which the consumer leaves; nobody leaves where it is absent. */
    leaves: fc.option(fc.nat({ max: 10 }), { nil: undefined, freq: 3 }),
  }),
  { minLength: 1, maxLength: 14 },
);

it('every generation gives the ids it gives alone, in whatever traffic', async () => {
  const options = { model: tinyFolder(), maxSequences: 3, kvCacheTokens: 176, prefillChunk: 11 };
  await withEngine(options, async (engine) => {
    const alone: number[][] = [];
    for (const { prompt, options } of KINDS) alone.push([...(await engine.generate(prompt, options).result).ids]);

    await fc.assert(
      fc.asyncProperty(traffic, async (requests) => {
        const ends: Promise<void>[] = [];
        for (const { kind, pause, leaves } of requests) {
          const generation = engine.generate(KINDS[kind].prompt, KINDS[kind].options);
          const consume = async (): Promise<void> => {
            let chunks = 0;
            if (leaves !== undefined)
              for await (const { ids } of generation) if ((chunks += ids.length) > leaves) break;
            const { ids, finishReason } = await generation.result;
            expect(ids).toEqual(finishReason === 'abort' ? alone[kind].slice(0, ids.length) : alone[kind]);
          };
          ends.push(consume());
          if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
        }
        await Promise.all(ends);
      }),
      { numRuns: 30 },
    );
  });
});
