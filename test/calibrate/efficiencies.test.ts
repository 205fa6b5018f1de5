import { describe, expect, it } from 'vitest';
import { kernelEfficiencies } from '../../bench/calibrate/efficiencies.js';
import type { EngineRuns } from '../../bench/calibrate/engine-runs.js';
import { stepOf } from '../../bench/compare/step-of.js';
import type { Measured } from '../../bench/measure/end-to-end.js';
import type { OperationsRecord } from '../../bench/schema.js';
import { forwardOperations } from '../../src/model/cost.js';
import type { ModelConfig } from '../../src/model/config.js';
import { fromCalibration, takesHalfRows } from '../../src/roofline/hardware/hardware.js';
import { precisionOf } from '../../src/roofline/hardware/precision.js';
import { Pricer } from '../../src/roofline/predict/price.js';
import { calibration } from '../roofline/calibration.js';
import { LLAMA_2_7B } from '../support/model.js';

const SMALL: ModelConfig = {
  ...LLAMA_2_7B,
  layers: 2,
  hidden: 256,
  intermediate: 704,
  heads: 8,
  kvHeads: 8,
  headDim: 32,
};
const WIDE: ModelConfig = { ...LLAMA_2_7B, layers: 1, hidden: 2048, intermediate: 5632, heads: 16, kvHeads: 16 };

const EFFICIENCY = { bandwidth: 0.5, overlap: 4, launchSeconds: 40e-6, compute: 0.3 };
const FAMILIES = {
  'matmul-few': { ...EFFICIENCY, compute: 0.6, bandwidth: 0.9 },
  'matmul-many': { ...EFFICIENCY, bandwidth: 0.7 },
  'attention-decode': EFFICIENCY,
  'attention-prefill': EFFICIENCY,
  elementwise: EFFICIENCY,
  sample: EFFICIENCY,
};

/** A driver on the processor whose kernels reach the shares above. */
const machine = { ...calibration, isCpu: true, profiledSeconds: 10e-6 };
const pricer = new Pricer(fromCalibration({ ...machine, efficiencies: FAMILIES, steps: undefined }));
const precision = precisionOf(
  { weights: 'f16', head: 'f16', kv: 'f32', compute: 'f32', halfRows: takesHalfRows(machine) },
  'shader',
);

/** Steps of an engine on it, where timing an operation by itself adds so many seconds. */
function runsOf(config: ModelConfig, timingSeconds: number): EngineRuns {
  const shapes = [
    ...[1, 2, 4, 8].map((batch) => ({ phase: 'decode' as const, tokens: 1, batch, context: 40 * batch })),
    ...[8, 64, 300].map((tokens) => ({ phase: 'prefill' as const, tokens, batch: 1, context: 0 })),
  ];
  const records = shapes.map((shape): Measured<OperationsRecord> => {
    const list = forwardOperations(config, stepOf(shape), precision).map((operation) => ({
      name: operation.name,
      seconds: pricer.seconds(operation),
    }));
    const plain = 1000 * list.reduce((sum, { seconds }) => sum + seconds, 0);
    return {
      kind: 'operations',
      id: JSON.stringify(shape),
      ...shape,
      warmup_ms: [],
      profiled_ms: [plain + 1000 * timingSeconds * list.length, plain + 1000 * timingSeconds * list.length, 900],
      unprofiled_ms: [plain, plain, plain],
      record_ms: [0, 0, 0],
      operations: list.map(({ name, seconds }) => {
        const ns = 1e9 * (seconds + timingSeconds);
        return { name, median_ns: ns, samples_ns: [ns, ns, ns] };
      }),
    };
  });
  const info = { dtype: 'f16', headDtype: 'f16', kvDtype: 'f32' } as EngineRuns['engine']['info'];
  return { engine: { config, info }, records, turns: [] };
}

describe('efficiencies of kernels', () => {
  it('are those of the steps themselves, whatever timing an operation adds in them', () => {
    // By the clock of kernels that do nothing it would be 10 us.
    const found = kernelEfficiencies([runsOf(SMALL, 100e-6), runsOf(WIDE, 5e-6)], machine);
    const bare = kernelEfficiencies([runsOf(SMALL, 0), runsOf(WIDE, 0)], machine);
    const priced = [found, bare].map(
      (efficiencies) => new Pricer(fromCalibration({ ...machine, efficiencies, steps: undefined })),
    );
    for (const config of [SMALL, WIDE]) {
      for (const record of runsOf(config, 0).records) {
        // Prompts are few here, and a search with that many parameters ends in more than one place.
        if (record.kind !== 'operations' || record.phase === 'prefill') continue;
        const list = forwardOperations(config, stepOf(record), precision);
        const [timed, plain] = priced.map((by) => list.reduce((sum, operation) => sum + by.seconds(operation), 0));
        expect(Math.abs(timed / plain - 1), `${config.hidden}: ${record.id}`).toBeLessThan(0.1);
      }
    }
  });

  it('of logits are those of kernels for few rows, in prompts as in tokens', () => {
    const head = (newTokens: number) =>
      forwardOperations(WIDE, { sequences: [{ newTokens, context: 0 }], logitRows: 1 }, precision).find(
        ({ name }) => name === 'lm_head',
      )!;
    expect(head(64).phase).toBe('prefill');
    expect(pricer.price(head(64)).family).toBe('matmul-few');
    expect(pricer.seconds(head(64))).toBe(pricer.seconds(head(1)));
    // Libraries choose by themselves: there it stays with the products beside it.
    const tensor = new Pricer(fromCalibration(machine), { kernels: 'tensor' });
    expect(tensor.price(head(64)).family).toBe('matmul-many');
  });
});
