import type { EngineOptions } from '../../src/engine/api.js';
import { startEngine } from '../../src/engine/start.js';
import type { EngineHost } from '../../src/engine/host.js';
import type { ProbedStep, StepProbe } from '../../src/engine/probe.js';
import { forwardOperations, type Precision } from '../../src/model/operations.js';
import { KERNEL_FAMILIES, type Calibration, type KernelFamily } from '../../src/roofline/calibration.js';
import { familyOf } from '../../src/roofline/efficiency.js';
import { fit, type FitPoint } from '../../src/roofline/fit.js';
import { bytesOf } from '../../src/roofline/price.js';

/**
 * A model of middling size, made of synthetic weights: large enough that its matrices do not fit a cache together,
 * small enough to be made in a second. With the embedded model's much smaller one it spans the sizes between which the
 * fit interpolates.
 */
const CALIBRATION_MODEL = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 1024,
  intermediate_size: 2816,
  num_hidden_layers: 3,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  vocab_size: 8192,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

interface Step {
  readonly phase: 'prefill' | 'decode';
  /** Prompt tokens, or sequences. */
  readonly rows: number;
  readonly context: number;
}

const DECODE: readonly Step[] = [
  { phase: 'decode', rows: 1, context: 15 },
  { phase: 'decode', rows: 1, context: 250 },
  { phase: 'decode', rows: 1, context: 500 },
  { phase: 'decode', rows: 4, context: 100 },
  { phase: 'decode', rows: 8, context: 60 },
];
const prefill = (lengths: readonly number[]): Step[] => lengths.map((rows) => ({ phase: 'prefill', rows, context: 0 }));

type Points = Record<KernelFamily, FitPoint[]>;

/** Milliseconds to spend on the repetitions of one step; at least three are made. */
const STEP_BUDGET_MS = 1500;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

async function repeat(run: () => Promise<ProbedStep>): Promise<ProbedStep[]> {
  const first = await run();
  const steps: ProbedStep[] = [];
  const count = Math.max(3, Math.min(15, Math.round(STEP_BUDGET_MS / Math.max(1, first.wallMs))));
  for (let i = 0; i < count; i++) steps.push(await run());
  return steps;
}

/**
 * Times a step with and without the profiler and books its operations. A profiled operation has a pass of its own,
 * which costs something that an unprofiled step does not pay; that difference is taken from every operation alike.
 */
async function measureStep(
  probe: StepProbe,
  step: Step,
  price: (probed: ProbedStep) => Map<string, FitPoint & { family: KernelFamily }>,
  points: Points,
): Promise<void> {
  const run = (profile: boolean): Promise<ProbedStep> =>
    step.phase === 'prefill'
      ? probe.prefill(step.rows, step.context, { profile })
      : probe.decode(step.rows, step.context, { profile });
  const plain = await repeat(() => run(false));
  const profiled = await repeat(() => run(true));
  const names = profiled[0].operations!.map(({ name }) => name);
  const seconds = names.map((_, i) =>
    median(profiled.map(({ operations }) => (operations![i].endNs - operations![i].beginNs) / 1e9)),
  );
  const wall = median(plain.map(({ wallMs }) => wallMs)) / 1000;
  const surplus = (seconds.reduce((sum, each) => sum + each, 0) - wall) / names.length;
  const costs = price(profiled[0]);
  // Layers are alike, so an operation's time is the median over layers; one point each.
  const alike = new Map<string, number[]>();
  names.forEach((name, i) => {
    const short = name.replace(/^layers\.\d+\./, '');
    alike.set(short, [...(alike.get(short) ?? []), seconds[i]]);
  });
  for (const [short, times] of alike) {
    const cost = costs.get(short);
    if (cost === undefined) continue;
    const time = median(times);
    points[cost.family].push({ flops: cost.flops, bytes: cost.bytes, seconds: Math.max(time - surplus, time / 4) });
  }
}

/**
 * Measures the engine's own kernels on two models and fits, for each family, the shares of the ceilings they reach, the
 * overlap of compute and memory, and what a launch costs.
 *
 * @throws RidgepointError where the adapter has no timestamps
 */
export async function kernelEfficiencies(
  host: EngineHost,
  adapter: string,
  ceilings: Pick<Calibration['ceilings'], 'f32FlopsPerSecond' | 'readBytesPerSecond'>,
  onProgress?: (what: string) => void,
): Promise<Calibration['efficiencies']> {
  const points = Object.fromEntries(KERNEL_FAMILIES.map((family) => [family, [] as FitPoint[]])) as Points;
  const synthetic: EngineHost = {
    ...host,
    openModel: () =>
      Promise.resolve({ name: 'calibration', folder: undefined, config: CALIBRATION_MODEL, configName: 'calibration' }),
  };
  const runs: { host: EngineHost; options: EngineOptions; steps: Step[] }[] = [
    { host, options: {}, steps: [...DECODE, ...prefill([4, 16, 64, 200])] },
    { host: synthetic, options: { weights: 'synthetic' }, steps: [...DECODE, ...prefill([4, 16, 64])] },
  ];
  for (const run of runs) {
    const engine = await startEngine({ ...run.options, adapter, maxSequences: 8, kvCacheTokens: 1024 }, run.host);
    try {
      await engine.ready;
      const probe = engine.probe();
      const precision: Precision = {
        weightBytes: engine.info.dtype === 'f32' ? 4 : 2,
        kvBytes: engine.info.kvDtype === 'f32' ? 4 : 2,
        activationBytes: 4,
      };
      for (const step of run.steps) {
        onProgress?.(`${engine.info.model}, ${step.phase} of ${step.rows} after ${step.context}`);
        const price = ({ batch }: ProbedStep): Map<string, FitPoint & { family: KernelFamily }> =>
          new Map(
            forwardOperations(engine.config, batch, precision).map((operation) => [
              operation.name.replace(/^layers\.\d+\./, ''),
              {
                flops: operation.flops,
                bytes: bytesOf(operation),
                seconds: 0,
                family: familyOf(operation.kind, operation.rows === 'logits' ? 'decode' : operation.phase),
              },
            ]),
          );
        await measureStep(probe, step, price, points);
      }
    } finally {
      await engine.dispose();
    }
  }
  return Object.fromEntries(
    KERNEL_FAMILIES.filter((family) => points[family].length > 0).map((family) => [
      family,
      fit(points[family], ceilings.f32FlopsPerSecond, ceilings.readBytesPerSecond, { maxBandwidth: 8 }),
    ]),
  );
}
