import { beforeAll, describe, expect, it } from 'vitest';
import { initialTokenState } from '../../src/engine/sampling.js';
import type { Gpu } from '../../src/gpu/gpu.js';
import { NO_TOKEN, type SamplingRow } from '../../src/kernels/sample/kernel.js';
import { random } from '../reference/compare.js';
import { applyPenalties, keptProbabilities, keptSet, type Truncation } from '../reference/sampling.js';
import { adapters, testGpu } from './adapters.js';
import { freeingAll } from './buffers.js';
import { chosen, isFull } from './scale.js';
import { chiSquareScore, frequencies, NEUTRAL, sample, testVariants, type TestVariant } from './sampling.js';
import { rounded } from './weights.js';
import { TRUNCATIONS } from '../kernels/sample/cases.js';

const VOCAB = 105;
/**
 * Bound of the normalised chi-square. It is about a standard normal with a heavier right tail: 5 is passed by chance
 * once in some 10,000 statistics. The draws are seeded, so a test that passes goes on passing.
 */
const CHI_BOUND = 5;

const logitsOf = (seed: number, deviation = 2): Float64Array => rounded(random(seed).normal(VOCAB, deviation), 'f32');

const truncation = ({ temperature, topK, topP, minP }: SamplingRow): Truncation => ({ temperature, topK, topP, minP });

/** @param asGpu the kernels are those that GPUs take */
export function describeSampling(asGpu: boolean): void {
  describe.each(adapters)(`sampling${asGpu ? ' as on GPUs' : ''} on %s`, (adapter) => {
    /** SwiftShader is slow at barriers; a seed draws the same there as anywhere. */
    const many = adapter !== 'swiftshader' ? 4000 : isFull ? 500 : 200;
    let gpu: Gpu;
    let variants: TestVariant[];
    beforeAll(async () => {
      gpu = await testGpu(adapter);
      variants = testVariants(gpu, asGpu);
    });

    /** Runs a test with each variant the adapter can run. */
    const each = async (body: (variant: (typeof variants)[number]) => Promise<void>): Promise<void> => {
      for (const variant of variants) await freeingAll(gpu, () => body(variant));
    };

    it('greedy takes the largest, the smallest id where several are equal, and ignores truncation', () =>
      each(async (variant) => {
        const logits = Array.from({ length: 9 }, (_, i) => logitsOf(i));
        const best = logits.map((row) => Math.max(...row));
        // Ties within one lane's tokens, between lanes, and of all tokens.
        for (const id of [3, 67, 104, 40]) logits[0][id] = best[0] + 1;
        for (const id of [104, 103]) logits[1][id] = best[1] + 1;
        logits[2].fill(-7);
        logits[3].fill(0);
        logits[4].fill(-1e30)[77] = -1e29;
        const rows = logits.map((_, slot) => ({
          ...NEUTRAL,
          slot,
          temperature: 0,
          topK: slot % 3,
          topP: 0.1,
          minP: 0.9,
        }));
        for (const short of [false, true]) {
          const { tokens, slotTokens } = await sample(gpu, variant, { logits, rows, short });
          expect(tokens).toEqual(logits.map((row) => [...keptSet(row, { temperature: 0 })][0]));
          expect(tokens.slice(0, 5)).toEqual([3, 103, 0, 0, 77]);
          expect(slotTokens).toEqual(tokens);
        }
      }));

    it('reports a row with a NaN, and leaves a token in its slot that the next step can look up', () =>
      each(async (variant) => {
        for (const [temperature, short] of [
          [0, true],
          [0, false],
          [1, false],
        ] as const) {
          const logits = [logitsOf(1), logitsOf(2), logitsOf(3)];
          logits[1][99] = NaN;
          const rows = logits.map((_, i) => ({ ...NEUTRAL, slot: 2 - i, temperature, topK: 7, topP: 0.9 }));
          const { tokens, slotTokens } = await sample(gpu, variant, { logits, rows, short });
          expect(tokens[1]).toBe(NO_TOKEN);
          expect(tokens[0]).toBeLessThan(VOCAB);
          expect(tokens[2]).toBeLessThan(VOCAB);
          expect(slotTokens).toEqual([tokens[2], 0, tokens[0]]);
        }
      }));

    it.each(chosen(Object.entries(TRUNCATIONS), (_, i) => adapter !== 'swiftshader' || i % 3 === 1 || i === 10))(
      'draws with the frequencies of the reference, %s',
      (_, options) =>
        each(async (variant) => {
          const logits = logitsOf(5);
          const row = { ...NEUTRAL, ...options };
          // All variants draw the same tokens, as a test below makes sure of, so only the first draws many.
          const draws = variant === variants[0] ? many : 200;
          const counts = await frequencies(gpu, variant, logits, row, draws);
          const kept = keptSet(logits, truncation(row));
          expect(
            counts.flatMap((count, id) => (count > 0 && !kept.has(id) ? [id] : [])),
            'drawn but cut off',
          ).toEqual([]);
          const score = chiSquareScore(counts, keptProbabilities(logits, truncation(row)));
          expect(score, variant.name).toBeLessThan(CHI_BOUND);
        }),
    );

    it('keeps all tokens that tie with the k-th', () =>
      each(async (variant) => {
        const logits = logitsOf(6, 0.2);
        for (const id of [2, 64, 65, 104]) logits[id] = 3;
        logits[50] = 4;
        const row = { ...NEUTRAL, topK: 3 };
        const counts = await frequencies(gpu, variant, logits, row, many);
        const kept = counts.flatMap((count, id) => (count > 0 ? [id] : []));
        expect(kept).toEqual([2, 50, 64, 65, 104]);
        expect(chiSquareScore(counts, keptProbabilities(logits, truncation(row)))).toBeLessThan(CHI_BOUND);
      }));

    it('never draws a token that is cut off, whatever the parameters', () =>
      each(async (variant) => {
        const rng = random(77);
        const logits: Float64Array[] = [];
        const rows: SamplingRow[] = [];
        for (let i = 0; i < 512; i++) {
          logits.push(rounded(rng.normal(VOCAB, 0.5 + 5 * rng.next()), 'f32'));
          rows.push({
            ...NEUTRAL,
            temperature: 0.05 + 3 * rng.next(),
            topK: rng.integer(2) * rng.integer(2 * VOCAB),
            topP: rng.integer(2) ? 1 : 0.01 + 0.99 * rng.next(),
            minP: rng.integer(2) * rng.next(),
            seed: i,
          });
        }
        const { tokens } = await sample(gpu, variant, { logits, rows });
        const outside = tokens.filter((token, i) => {
          // What is cut by mass is decided in f32: a token whose tail is within a rounding of p may be kept.
          const slack = {
            ...truncation(rows[i]),
            topP: Math.min(1, rows[i].topP + 1e-5),
            minP: rows[i].minP * 0.99999,
          };
          return !keptSet(logits[i], slack).has(token);
        });
        expect(outside).toEqual([]);
      }));

    it('penalises and biases as the reference does, and counts what it drew', () =>
      each(async (variant) => {
        const promptIds = [1, 5, 9, 9, 104];
        const generatedIds = [5, 7, 7, 7, 20];
        const logitBias = { 3: 1.5, 5: -0.5, 40: -100, 41: -Infinity, 42: 2 };
        const state = initialTokenState(promptIds, logitBias, VOCAB);
        for (const id of generatedIds) state[2 * id]++;
        const penalties = { repetition: 1.3, presence: 0.4, frequency: 0.25 };
        const row = {
          ...NEUTRAL,
          usesState: true,
          repetitionPenalty: penalties.repetition,
          presencePenalty: penalties.presence,
          frequencyPenalty: penalties.frequency,
          minP: 0.01,
        };
        const logits = logitsOf(8);
        logits[40] = logits[41] = 9; // would be drawn nearly always, but for the bias
        const penalised = applyPenalties(logits, { promptIds, generatedIds, ...penalties, logitBias });
        const counts = await frequencies(gpu, variant, logits, row, many, state);
        expect(counts[40] + counts[41], 'forbidden tokens drawn').toBe(0);
        expect(chiSquareScore(counts, keptProbabilities(penalised, truncation(row)))).toBeLessThan(CHI_BOUND);

        // Three steps of one sequence: greedy with a presence penalty moves on, and the table knows what was drawn.
        const counted = state.slice();
        for (let draw = 0; draw < 3; draw++) {
          const step = { ...row, temperature: 0, draw };
          const out = await sample(gpu, variant, { logits: [logits], rows: [step], state: { 0: counted } });
          counted[2 * out.tokens[0]]++;
          expect([...out.state.subarray(0, 2 * VOCAB)]).toEqual([...counted]);
        }
      }));

    it('forces a token by a bias, and leaves nothing but a forbidden one where all are forbidden', () =>
      each(async (variant) => {
        const logits = logitsOf(9);
        const row = { ...NEUTRAL, usesState: true };
        const forced = initialTokenState([], { 33: 100 }, VOCAB);
        expect((await frequencies(gpu, variant, logits, row, 64, forced))[33]).toBe(64);
        const all = Object.fromEntries(Array.from({ length: VOCAB }, (_, id) => [id, -Infinity]));
        for (const temperature of [0, 1]) {
          const state = { 0: initialTokenState([], all, VOCAB) };
          const rows = [{ ...row, temperature, topK: 5, topP: 0.5, minP: 0.1 }];
          const { tokens } = await sample(gpu, variant, { logits: [logits], rows, state });
          expect(tokens[0]).toBeLessThan(VOCAB);
        }
      }));

    it('chooses only among the tokens of a mask, greedily and at random, and leaves others alone', () =>
      each(async (variant) => {
        const allowed = [[7], [3, 40, 104], Array.from({ length: VOCAB }, (_, id) => id).filter((id) => id % 3 === 1)];
        const masks = allowed.map((ids) => {
          const words = new Uint32Array(Math.ceil(VOCAB / 32));
          for (const id of ids) words[id >> 5] |= 1 << (id & 31);
          return words;
        });
        const logits = logitsOf(5);
        for (const row of [
          { ...NEUTRAL, temperature: 0 },
          { ...NEUTRAL, topK: 50 },
          { ...NEUTRAL, topP: 0.9, minP: 0.01, temperature: 2 },
        ]) {
          const rows = Array.from({ length: 200 }, (_, i) => ({
            ...row,
            slot: i % 3,
            usesMask: i % 4 !== 3,
            seed: 9,
            draw: i,
          }));
          const { tokens } = await sample(gpu, variant, { logits: rows.map(() => logits), rows, masks });
          tokens.forEach((token, i) => {
            if (rows[i].usesMask) expect(allowed[i % 3]).toContain(token);
          });
          const best = (ids: readonly number[]): number => ids.reduce((a, b) => (logits[b] > logits[a] ? b : a));
          if (row.temperature === 0) expect(tokens.slice(0, 3)).toEqual(allowed.map(best));
          else expect(new Set(tokens).size).toBeGreaterThan(3);
          const free = rows.map((one) => ({ ...one, usesMask: false }));
          const unmasked = await sample(gpu, variant, { logits: rows.map(() => logits), rows: free });
          expect(tokens.filter((_, i) => i % 4 === 3)).toEqual(unmasked.tokens.filter((_, i) => i % 4 === 3));
        }
      }));

    it('depends on seed and draw only: not on the row, the slot, the company or the variant', async () => {
      const logits = Array.from({ length: 64 }, (_, i) => logitsOf(100 + (i % 4), 1));
      const rows = logits.map((_, i) => ({ ...NEUTRAL, slot: i, seed: 5 + Math.floor(i / 16), draw: i % 16 }));
      const runs: number[][] = [];
      await each(async (variant) => {
        const plain = await sample(gpu, variant, { logits, rows });
        const again = await sample(gpu, variant, { logits, rows });
        const reversed = await sample(gpu, variant, { logits: [...logits].reverse(), rows: [...rows].reverse() });
        const alone = await sample(gpu, variant, { logits: [logits[9]], rows: [{ ...rows[9], slot: 3 }] });
        expect(again.tokens).toEqual(plain.tokens);
        expect(reversed.tokens.reverse()).toEqual(plain.tokens);
        expect(reversed.slotTokens).toEqual(plain.slotTokens);
        expect(alone.tokens[0]).toBe(plain.tokens[9]);
        const reseeded = await sample(gpu, variant, {
          logits,
          rows: rows.map((row) => ({ ...row, seed: row.seed + 100 })),
        });
        expect(reseeded.tokens).not.toEqual(plain.tokens);
        runs.push(plain.tokens);
      });
      for (const run of runs) expect(run).toEqual(runs[0]);
      expect(new Set(runs[0]).size, 'draws of one seed differ').toBeGreaterThan(10);
    });

    it('draws from a large vocabulary without favouring any part of it', async () => {
      const vocab = 32_000;
      const flat = new Float64Array(vocab);
      const rows = Array.from({ length: many }, (_, i) => ({ ...NEUTRAL, seed: i * 7919 }));
      const { tokens } = await sample(gpu, variants[0], { logits: rows.map(() => flat), rows });
      const counts = new Array<number>(16).fill(0);
      for (const token of tokens) counts[Math.floor(token / 2000)]++;
      expect(chiSquareScore(counts, new Float64Array(16).fill(1 / 16))).toBeLessThan(CHI_BOUND);
    });

    it('draws rare tokens as rarely as it should, and hopeless ones never', async () => {
      const vocab = 32_000;
      for (const gap of [13, 30]) {
        const logits = new Float64Array(vocab).fill(-gap);
        logits[777] = 0;
        const draws = many;
        const counts = await freeingAll(gpu, () => frequencies(gpu, variants[0], logits, NEUTRAL, draws));
        const rare = draws - counts[777];
        const odds = (vocab - 1) * Math.exp(-gap);
        const expected = (draws * odds) / (1 + odds);
        // Poisson: five standard deviations, and room for the one that may come when none is expected.
        expect(Math.abs(rare - expected), `gap ${gap}: ${rare} of ${expected}`).toBeLessThan(
          5 * Math.sqrt(expected) + 1,
        );
      }
    });
  });
}
