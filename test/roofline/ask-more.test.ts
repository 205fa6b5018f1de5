import { describe, expect, test } from 'vitest';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import type { Efficiency } from '../../src/roofline/hardware/families.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';
import { predictWith } from '../../src/roofline/predict/predict.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { chunkLatency, decodingThatFits } from '../../src/roofline/questions/chunk.js';
import { crossover } from '../../src/roofline/questions/crossover.js';
import { grid, meanRatio } from '../../src/roofline/questions/grid.js';
import { overtake } from '../../src/roofline/questions/overtake.js';
import { speculation, tokensPerRound } from '../../src/roofline/questions/speculation.js';
import { splitRequest } from '../../src/roofline/questions/split.js';
import { tokenCost } from '../../src/roofline/questions/token-cost.js';
import { preset, presetConfig } from './models.js';

const h100 = hardwareById('h100-sxm');
const a100 = hardwareById('a100-80');
const small = preset('llama-2-7b');
const on = (id: string) => new Predictor(small, hardwareById(id));

/** Every ceiling reached and nothing beside it, so that answers are arithmetic. */
const all: Efficiency = { compute: 1, bandwidth: 1, launchSeconds: 0, overlap: Infinity };
const perfect = {
  'matmul-few': all,
  'matmul-many': all,
  'attention-decode': all,
  'attention-prefill': all,
  elementwise: all,
  sample: all,
};

describe('chunked prefill', () => {
  const config = presetConfig('llama-3.1-70b');
  const predictor = new Predictor(preset('llama-3.1-70b'), h100);
  const load = { decoding: 128, context: 4096, promptTokens: 4096 };
  const chunks = [0, 128, 256, 512, 1024, 2048, 4096];
  const rows = chunkLatency(predictor, load, chunks);

  test('no step is shorter than its matrices take, by the closed form', () => {
    const { layers, hidden, heads, kvHeads, headDim, intermediate, vocab } = config;
    const layer = (2 * heads + 2 * kvHeads) * headDim * hidden + 3 * hidden * intermediate;
    const head = vocab * hidden;
    rows.forEach(({ floorSeconds }, i) => {
      const tokens = 128 + chunks[i];
      const logits = 128 + (chunks[i] === 4096 ? 1 : 0);
      const reading = (2 * (layers * layer + head)) / 3350e9;
      const multiplying = (2 * (layers * layer * tokens + head * logits)) / 989.4e12;
      expect(floorSeconds / Math.max(reading, multiplying)).toBeCloseTo(1, 3); // gates and norms are in ours too
      expect(rows[i].itlSeconds).toBeGreaterThan(floorSeconds);
    });
  });

  test('which is the curve of 70 billion parameters that all multiply', () => {
    const curve = [41.8, 41.8, 54.4, 90.6, 163, 308, 598];
    rows.forEach(({ floorSeconds }, i) =>
      expect(Math.abs(1e3 * floorSeconds - curve[i])).toBeLessThan(0.025 * curve[i]),
    );
  });

  test('as many sequences decode as memory holds beside the prompt, where nobody says how many', () => {
    // 13.5 GB of weights and 0.524 MB a token: 90 % of 80 GiB hold 121 thousand tokens, those of 28 sequences and a prompt.
    expect(decodingThatFits(on('h100-sxm'), 4096, 4096)).toBe(16);
    expect(decodingThatFits(on('h100-sxm'), 512, 4096)).toBe(128);
    // Weights that do not fit leave the question of time.
    expect(decodingThatFits(predictor, 4096, 4096)).toBe(128);
  });

  test('the mean and the longest gap are those of the prompt’s own steps', () => {
    const [row] = chunkLatency(predictor, { decoding: 2, context: 100, promptTokens: 2500 }, [1000]);
    const decoding = { newTokens: 1, context: 100 };
    const steps = [
      [1000, 0, 2],
      [1000, 1000, 2],
      [500, 2000, 3],
    ].map(([newTokens, context, logitRows]) =>
      predictor.stepSeconds({ sequences: [decoding, decoding, { newTokens, context, prefill: true }], logitRows }),
    );
    const total = steps[0] + steps[1] + steps[2];
    expect(row.ttftSeconds).toBeCloseTo(total, 12);
    expect(row.itlSeconds).toBeCloseTo(total / 3, 12);
    expect(row.itlWorstSeconds).toBe(Math.max(...steps));
    expect(row.prefillTokensPerSecond).toBeCloseTo(2500 / total, 6);
  });

  test('decoding alone is memory bound, a whole prompt compute bound; a longer chunk serves the prompt sooner', () => {
    expect(rows[0]).toMatchObject({ bottleneck: 'memory', ttftSeconds: undefined, prefillTokensPerSecond: 0 });
    expect(rows.at(-1)!.bottleneck).toBe('compute');
    rows.slice(2).forEach((row, i) => {
      expect(row.ttftSeconds).toBeLessThan(rows[i + 1].ttftSeconds!);
      expect(row.itlSeconds).toBeGreaterThan(rows[i + 1].itlSeconds);
    });
  });

  test('a chunk above the prompt is the whole prompt', () => {
    const [whole, more] = chunkLatency(predictor, load, [4096, 9000]);
    expect(more.ttftSeconds).toBe(whole.ttftSeconds);
  });
});

describe('speculation', () => {
  const predictor = new Predictor(preset('llama-3.1-70b'), h100, { tensorParallel: 4 });
  const draft = new Predictor(preset('llama-3.1-8b'), h100);

  test.each([
    [0.7, 4, (1 - 0.7 ** 5) / 0.3],
    [0, 3, 1],
    [1, 5, 6],
  ])('a round of %f right and %d guesses yields %f tokens', (acceptance, guesses, tokens) => {
    expect(tokensPerRound(acceptance, guesses)).toBeCloseTo(tokens, 12);
  });

  test('costs the draft’s steps and one step of guesses + 1 rows, by its definition', () => {
    const [row] = speculation(predictor, { draft, acceptance: 0.8, context: 500 }, [2], [3]);
    const sequences = [0, 1].map(() => ({ newTokens: 4, context: 500, prefill: false }));
    const check = predictor.stepSeconds({ sequences, logitRows: 8 });
    const guess = [500, 501, 502].reduce((sum, context) => sum + draft.decodeStepSeconds(context, 2), 0);
    const tokens = 1 + 0.8 + 0.64 + 0.512;
    expect(row.tokenSeconds).toBeCloseTo((check + guess) / tokens, 12);
    expect(row.speedup).toBeCloseTo((predictor.decodeStepSeconds(500, 2) * tokens) / (check + guess), 9);
  });

  test('pays exactly from the acceptance it names', () => {
    for (const row of speculation(predictor, { draft, acceptance: 0.5, context: 500 }, [1, 16], [1, 4])) {
      const again = speculation(
        predictor,
        { draft, acceptance: row.breakEven!, context: 500 },
        [row.batch],
        [row.draftTokens],
      );
      expect(again[0].speedup).toBeCloseTo(1, 9);
    }
  });

  test('pays less the more sequences share the weights, and never where a round costs more than it can yield', () => {
    const rows = speculation(predictor, { draft, acceptance: 0.7, context: 500 }, [1, 16, 256], [4]);
    expect(rows[0].speedup).toBeGreaterThan(rows[1].speedup);
    expect(rows[1].speedup).toBeGreaterThan(rows[2].speedup);
    const same = speculation(predictor, { draft: predictor, acceptance: 1, context: 500 }, [1], [4]);
    expect(same[0].breakEven).toBeUndefined();
    expect(same[0].speedup).toBeLessThan(1);
  });

  test('guesses that cost nothing gain as many tokens as a round yields, where reading weights is all', () => {
    const ideal = new Predictor(preset('llama-3.1-70b'), h100, { efficiencies: perfect });
    const [row] = speculation(ideal, { acceptance: 0.7, context: 0 }, [1], [4]);
    expect(row.draftSeconds).toBe(0);
    expect(row.speedup / row.tokensPerRound).toBeCloseTo(1, 2);
  });
});

describe('one platform overtakes another', () => {
  const pair = [on('groqrack'), on('a100-80')] as const;
  const found = overtake(pair, 1024, 64);

  test('at the first batch with more tokens a second, counted one by one', () => {
    expect(found.first).toBe(0);
    const alone = 1 / pair[0].decodeStepSeconds(1024, 1); // one request at a time, however many wait
    const first = Array.from({ length: 64 }, (_, at) => at + 1).find(
      (batch) => batch / pair[1].decodeStepSeconds(1024, batch) > alone,
    );
    expect(found.batch).toBe(first);
    expect(found.rows.every(({ tokensPerSecond }) => Math.abs(tokensPerSecond[0] - alone) < 1e-9)).toBe(true);
    expect(found.rows[2].stepSeconds[0]).toBeCloseTo(4 / alone, 12);
  });

  test('does not depend on which is named first, and never where one is ahead throughout', () => {
    expect(overtake([pair[1], pair[0]], 1024, 64)).toMatchObject({ first: 1, batch: found.batch });
    expect(overtake([on('h100-sxm'), on('t4')], 1024, 64)).toMatchObject({ first: 0, batch: undefined });
  });
});

describe('normalised maps', () => {
  const [prefill, reference] = [hardwareById('spad-prefill'), h100].map(
    (each) => new Predictor(BLOOM_176B, each, { tensorParallel: 8 }),
  );
  const cells = grid(prefill, reference, [1, 64], [128, 1024, 4096]);

  test('are latencies over those of the reference', () => {
    expect(cells).toHaveLength(12);
    for (const { phase, batch, tokens, ratio } of cells) {
      const expected =
        phase === 'prefill'
          ? prefill.prefillSeconds(tokens, batch) / reference.prefillSeconds(tokens, batch)
          : prefill.decodeSeconds(tokens, 1, batch) / reference.decodeSeconds(tokens, 1, batch);
      expect(ratio).toBeCloseTo(expected, 12);
    }
  });

  test('leave out what does not fit, by the bytes of the cache', () => {
    const tokenBytes = 2 * 70 * 14336 * 2;
    const room = 0.9 * 8 * 64 * 2 ** 30 - 2 * BLOOM_176B.parameters;
    for (const { batch, tokens, fits } of cells) expect(fits).toBe(batch * tokens * tokenBytes <= room);
    const kept = cells.filter(({ phase, fits }) => fits && phase === 'decode');
    expect(meanRatio(cells, 'decode')).toBeCloseTo(kept.reduce((sum, { ratio }) => sum + ratio, 0) / kept.length, 12);
    expect(meanRatio([], 'decode')).toBeUndefined();
  });
});

describe('prompt tokens in the prefix cache', () => {
  const predictor = on('h100-sxm');
  const request = { promptTokens: 1000, outputTokens: 10, batch: 2 };
  const whole = predictWith(predictor, request);
  const cached = predictWith(predictor, { ...request, cachedTokens: 900 });

  test('are not computed, only read', () => {
    expect(cached.ttftSeconds).toBe(predictor.prefillSeconds(100, 2, 900));
    const attention = ({ prefill }: typeof whole) => prefill.operations.find(({ name }) => name === 'attention')!.flops;
    const pairs = (1000 * 1001) / 2 - (900 * 901) / 2;
    // 4 x 128 of two products and 5 of a softmax, for each of 32 heads, 32 layers and 2 prompts
    expect(attention(cached)).toBe(32 * 32 * 2 * (4 * 128 + 5) * pairs);
    expect(cached.prefillTokensPerSecond).toBeCloseTo((2 * 100) / cached.ttftSeconds, 9);
  });

  test('change neither decode nor memory', () => {
    expect(cached.tpotSeconds).toBe(whole.tpotSeconds);
    expect(cached.memory).toEqual(whole.memory);
    expect(cached.ttftShare).toBeCloseTo(cached.ttftSeconds / (cached.ttftSeconds + 9 * whole.tpotSeconds!), 12);
  });

  test.each([1000, 1001, -1, 0.5])('cannot be %d of 1000', (cachedTokens) => {
    expect(() => predictWith(predictor, { ...request, cachedTokens })).toThrow(/cachedTokens must be .* 0 to 999/);
  });

  test('move the crossover', () => {
    const plain = crossover(predictor, 4, [1, 4096]).promptTokens!;
    const later = crossover(predictor, 4, [501, 4096], 1, 500).promptTokens!;
    expect(later).toBeGreaterThan(plain);
    expect(predictor.prefillSeconds(later - 500, 1, 500)).toBeGreaterThanOrEqual(predictor.decodeSeconds(later, 4));
    expect(predictor.prefillSeconds(later - 501, 1, 500)).toBeLessThan(predictor.decodeSeconds(later - 1, 4));
  });
});

describe('what tokens cost', () => {
  const request = { promptTokens: 1024, outputTokens: 101, batch: 4 };
  const priced = (hardware: Hardware, usdPerHour: number, watts: number) => ({
    predictor: new Predictor(small, hardware, { tensorParallel: 2 }),
    price: { usdPerHour, watts },
  });
  const [dear, cheap] = [priced(h100, 3, 700), priced(a100, 1.5, 400)];

  test('is price and watts of the time a phase takes', () => {
    const both = tokenCost(dear, dear, request);
    const prefill = dear.predictor.prefillSeconds(1024, 4);
    const decode = dear.predictor.decodeSeconds(1024, 100, 4);
    expect(both.prefill.dollars).toBeCloseTo((1e6 * 3 * 2 * prefill) / 3600 / 4096, 9);
    expect(both.decode.dollars).toBeCloseTo((1e6 * 3 * 2 * decode) / 3600 / 404, 9);
    expect(both.prefill.megajoules).toBeCloseTo((700 * 2 * prefill) / 4096, 9); // joules a token
    expect(both.decode.megajoules).toBeCloseTo((700 * 2 * decode) / 404, 9);
    expect(both.dollars).toBeCloseTo((1e6 * 3 * 2 * (prefill + decode)) / 3600 / 404, 9);
    expect(both.transferSeconds).toBe(0);
  });

  test('divides between platforms when phases are split', () => {
    const network = { bytesPerSecond: 50e9, latencySeconds: 0 };
    const [dearAlone, cheapAlone] = [tokenCost(dear, dear, request), tokenCost(cheap, cheap, request)];
    const split = tokenCost(dear, cheap, request, network);
    expect(split.prefill).toEqual(dearAlone.prefill);
    expect(split.decode).toEqual(cheapAlone.decode);
    expect(split.transferSeconds).toBeCloseTo((4 * 1024 * 524_288) / 50e9, 12);
  });

  test('is not known without a price', () => {
    const free = { predictor: dear.predictor, price: { watts: 700 } };
    expect(tokenCost(free, dear, request)).toMatchObject({ dollars: undefined, prefill: { dollars: undefined } });
    expect(tokenCost(free, dear, request).megajoules).toBeGreaterThan(0);
  });
});

describe('a request on two platforms', () => {
  test.each([
    [8, 536.87],
    [100, 42.95],
    [400, 10.74],
  ])('waits for its cache: 1024 tokens of Llama-2-7B at %d Gb/s take %f ms', (gigabits, ms) => {
    const network = { bytesPerSecond: (gigabits * 1e9) / 8, latencySeconds: 1e-3 };
    const found = splitRequest(on('a100-80'), on('groqrack'), { promptTokens: 1024, outputTokens: 100 }, network);
    expect(1e3 * found.transferSeconds - 1).toBeCloseTo(ms, 2);
    expect(found.e2eSeconds).toBeCloseTo(
      on('a100-80').prefillSeconds(1024) + found.transferSeconds + on('groqrack').decodeSeconds(1024, 99),
      12,
    );
  });
});
