import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { fit, meanError, type FitPoint } from '../../src/roofline/fit/fit.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { RTX_4090_ATTENTION, RTX_PRO_6000_ATTENTION } from '../../src/roofline/hardware/catalogue/fitted.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { bytesOf } from '../../src/roofline/predict/price.js';
import { preset } from './models.js';

const folder = join(packageRoot(), '..', 'shared', 'data', 'profiles');
const fileOf = (card: string): string => join(folder, `llmservingsim_${card}_llama-3.1-8b_attention.csv`);

/** Attention of one prompt's chunk, with nobody decoding beside it. */
function prompts(card: string, id: string): FitPoint[] {
  const predictor = new Predictor(preset('llama-3.1-8b'), hardwareById(id));
  const [, ...lines] = readFileSync(fileOf(card), 'utf8').trim().split('\n');
  return lines.flatMap((line): FitPoint[] => {
    const [newTokens, context, decoding, , us] = line.split(',').map(Number);
    if (newTokens === 0 || decoding > 0) return [];
    const parts = predictor.parts({ sequences: [{ newTokens, context, prefill: true }], logitRows: 1 });
    const { operation } = parts.find(({ operation: { kind, m } }) => kind === 'attention' && m > 0)!;
    return [{ flops: operation.flops, bytes: bytesOf(operation), seconds: us / 1e6 }];
  });
}

describe.skipIf(!existsSync(fileOf('rtx4090')))('attention of prompts (needs ../shared/data)', () => {
  it.each([
    ['rtx4090', 'rtx-4090', RTX_4090_ATTENTION, 0.2],
    ['rtxpro6000', 'rtx-pro-6000', RTX_PRO_6000_ATTENTION, 0.21],
  ] as const)('on %s is what the catalogue says, on points that were not fitted', (card, id, stored, limit) => {
    const { dense, bandwidth } = hardwareById(id);
    const points = prompts(card, id);
    const seen = points.filter((_, at) => at % 2 === 0);
    const rest = points.filter((_, at) => at % 2 === 1);
    const found = fit(seen, dense.f16!, bandwidth);
    expect(meanError(rest, dense.f16!, bandwidth, stored)).toBeLessThan(limit);
    // The stored figures are that fit, rounded.
    expect(stored.compute).toBeCloseTo(found.compute, 2);
    expect(stored.bandwidth).toBeCloseTo(found.bandwidth, 2);
    expect(stored.launchSeconds).toBeCloseTo(found.launchSeconds, 6);
  });
});

it('on the two cards is taken from there, and the rest of their kernels from the class', () => {
  for (const id of ['rtx-4090', 'rtx-pro-6000']) {
    const { origin } = new Predictor(preset('llama-3.1-8b'), hardwareById(id)).pricer.efficiencies;
    expect(origin['attention-prefill']).toContain('LLMServingSim');
    expect(origin['matmul-many']).toContain('middle of the fits');
  }
});
