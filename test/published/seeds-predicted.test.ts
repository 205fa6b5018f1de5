import { describe, expect, it } from 'vitest';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { scaled } from '../../src/roofline/hardware/hardware.js';
import { BLOOM_176B } from '../../src/roofline/models/bloom.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { errorOf, differenceOf, holds, type SeedFigure } from '../../src/published/seeds/figure.js';
import { SEED_FIGURES } from '../../src/published/seeds/index.js';
import { splitGain } from '../../src/published/seeds/platforms.js';
import { SHAPES } from '../../src/published/seeds/subjects.js';
import { preset, presetConfig } from '../roofline/models.js';

const predicted = SEED_FIGURES.filter(({ verdict }) => verdict === 'predicted');
const ours = (id: string) => SEED_FIGURES.find((figure) => figure.id === id)!.ours!();

/** What was once left to a simulator and is a single request, step or chip. */
const ANSWERED = [
  ...['000.f4', '000.f5', '001.f1', '001.f2.2500', '001.f2.2000', '001.f2.1500', '001.f2.matmul', '001.f3.108'],
  ...['001.f3.66', '001.f7', '001.f7.p.prefill', '001.f7.p.decode', '001.f7.d.prefill', '001.f7.d.decode'],
  ...['001.f7.short', '001.f7.long', '001.f7.batch', '001.f11', '001.f15'],
];

describe('figures that our predictor answers', () => {
  it.each(ANSWERED)('%s', (id) => {
    const answers = predicted.filter((figure) => figure.id === id || figure.id.startsWith(`${id}.`));
    expect(answers.length).toBeGreaterThan(0);
    for (const { ours } of answers) expect(ours!()).toBeDefined();
  });

  it('have numbers that are numbers, and an error where there is something to miss', () => {
    for (const figure of predicted) {
      const value = figure.ours!();
      if (typeof value === 'number') expect(Number.isFinite(value), figure.id).toBe(true);
      const difference = differenceOf(figure);
      expect(errorOf(figure) === undefined, figure.id).toBe(difference === undefined);
    }
  });

  it('point the way the document says, where it says one', () => {
    expect(predicted.filter((figure) => !holds(figure)).map(({ id }) => id)).toEqual([]);
    const directions = predicted.filter(({ ours, otherUnit }) => typeof ours!() === 'string' && !otherUnit);
    expect(directions.length).toBeGreaterThan(8);
  });

  it('compare rises as latencies', () => {
    const figure: SeedFigure = {
      ...{ id: 'x', document: '001', where: '', what: '', published: '+8%', verdict: 'predicted' },
      ours: () => 5,
    };
    expect(errorOf(figure)).toBeCloseTo(1.05 / 1.08 - 1, 12);
    expect(errorOf({ ...figure, published: '8 ms' })).toBeCloseTo(5 / 8 - 1, 12);
    expect(errorOf({ ...figure, verdict: 'consistent' })).toBeUndefined();
  });

  it('speak of the models they name', () => {
    for (const [name, shape] of Object.entries(SHAPES)) {
      expect(familyModel(name, shape).parameters).toBe(preset(name).parameters);
      const { layers, hidden, heads, kvHeads, vocab, maxPositions, headDim } = presetConfig(name);
      expect(shape).toMatchObject({ layers, hidden, heads, kvHeads, vocab, maxPositions, headDim });
    }
  });

  it('are what the predictor says when asked apart', () => {
    const h100 = hardwareById('h100-sxm');
    const bloom = (bandwidth: number) =>
      new Predictor(BLOOM_176B, scaled(h100, { bandwidth }), { tensorParallel: 8 }).prefillSeconds(1024, 2);
    expect(ours('001.f2.2000')).toBeCloseTo(100 * (bloom(2000e9 / h100.bandwidth) / bloom(1) - 1), 9);
    const llama = new Predictor(preset('llama-3.1-8b'), h100);
    expect(ours('003.our.ttft')).toBeCloseTo(1e3 * llama.prefillSeconds(2048), 9);
    expect(ours('003.our.kv')).toBeCloseTo((2048 * 2 * 32 * 8 * 128 * 2) / 1e9, 12);
  });
});

describe('the four directions of the comparison of platforms', () => {
  const on = (id: string) => new Predictor(preset('llama-2-7b'), hardwareById(id));
  const [a100, groq] = [on('a100-80'), on('groqrack')];

  it('GPUs are ahead in prefill', () => {
    for (const tokens of [256, 512, 1024, 2048]) {
      for (const batch of [1, 32]) {
        expect(a100.prefillSeconds(tokens, batch)).toBeLessThan(batch * groq.prefillSeconds(tokens));
      }
    }
  });

  it('GroqRack is ahead in time per token at batch 1', () => {
    for (const tokens of [128, 1024, 2048]) {
      expect(groq.decodeStepSeconds(tokens)).toBeLessThan(a100.decodeStepSeconds(tokens));
    }
  });

  it('GPUs are ahead in throughput from some batch on', () => {
    const crossing = ours('000.crossing') as number;
    const alone = 1 / groq.decodeStepSeconds(1024);
    expect((crossing - 1) / a100.decodeStepSeconds(1024, crossing - 1)).toBeLessThanOrEqual(alone);
    expect(crossing / a100.decodeStepSeconds(1024, crossing)).toBeGreaterThan(alone);
  });

  it('splitting phases gains only for some lengths and networks', () => {
    const all = [128, 1024, 2048].flatMap((prompt) =>
      [8, 100, 800].map((gigabits) => splitGain(prompt, 128, gigabits) > 1),
    );
    expect(new Set(all)).toEqual(new Set([true, false]));
    expect(splitGain(2048, 128, 800)).toBeGreaterThan(splitGain(2048, 128, 8));
    const whole = a100.prefillSeconds(2048) + (2048 * 524_288 * 8) / 800e9 + groq.decodeSeconds(2048, 127);
    const alone = Math.min(...[a100, groq].map((each) => each.prefillSeconds(2048) + each.decodeSeconds(2048, 127)));
    expect(splitGain(2048, 128, 800)).toBeCloseTo(alone / whole, 9);
  });
});
