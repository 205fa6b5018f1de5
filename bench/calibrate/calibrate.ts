import type { EngineHost } from '../../src/engine/host.js';
import { Gpu } from '../../src/gpu/gpu.js';
import { RidgepointError } from '../../src/errors.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import { dotCeilings, fmaCeilings, launchCosts, memoryCeilings, rates } from './ceilings.js';
import { kernelEfficiencies } from './efficiencies.js';
import { measureEngine } from './engine-runs.js';
import { stepCosts } from './step-costs.js';
import { matrixCeilings } from './subgroup-matrix.js';

export interface CalibrateOptions {
  readonly adapter?: string;
  /** Leave out the engine's own kernels. */
  readonly ceilingsOnly?: boolean;
  readonly onProgress?: (what: string) => void;
  /** A figure that could not be measured, and why. */
  readonly onSkipped?: (what: string) => void;
}

/**
 * Measures an adapter: its ceilings with kernels built for nothing else; how far the engine's kernels get towards them;
 * and what whole steps and requests take beside their kernels. All that is measured together is measured in rounds.
 * Of ceilings the best of the rounds counts, of steps and requests the lower decile, as in comparisons.
 *
 * @param version of Ridgepoint, for the record
 */
export async function calibrate(host: EngineHost, version: string, options: CalibrateOptions): Promise<Calibration> {
  const { onProgress, onSkipped } = options;
  const source = await host.openGpu(options.adapter);
  const gpu = await Gpu.open(source);
  let machine: Calibration;
  try {
    machine = {
      version: 1,
      adapter: source.name,
      driver: source.driver,
      isCpu: gpu.capabilities.isCpu,
      date: new Date().toISOString(),
      ridgepoint: version,
      ...(await measureMachine(gpu, options)),
      efficiencies: {},
    };
    gpu.check();
  } finally {
    await gpu.dispose();
  }
  if (options.ceilingsOnly) return machine;
  if (machine.profiledSeconds === undefined) {
    onSkipped?.('the engine’s kernels: this adapter has no timestamps, so predictions take default efficiencies');
    return machine;
  }
  try {
    const runs = await measureEngine(host, source.name, onProgress);
    const efficiencies = kernelEfficiencies(runs, machine.ceilings, machine.profiledSeconds);
    return { ...machine, efficiencies, steps: stepCosts(runs, { ...machine, efficiencies }) };
  } catch (error) {
    if (!(error instanceof RidgepointError) || error.code !== 'memory') throw error;
    onSkipped?.(`the engine’s kernels: ${error.message}`);
    return machine;
  }
}

async function measureMachine(
  gpu: Gpu,
  { onProgress, onSkipped }: CalibrateOptions,
): Promise<Pick<Calibration, 'ceilings' | 'spread' | 'profiledSeconds'>> {
  onProgress?.('launches');
  const spread: Record<string, number> = {};
  const { profiledSeconds, ...launches } = await launchCosts(gpu, spread);
  onProgress?.('how long launches must be to be timed');
  const matrices = await matrixCeilings(gpu, ({ componentType, M, N, K }, reason) =>
    onSkipped?.(`subgroup matrix ${componentType} ${M}x${N}x${K}: ${reason}`),
  );
  const found = await rates(
    [...(await memoryCeilings(gpu)), ...(await fmaCeilings(gpu)), ...(await dotCeilings(gpu)), ...matrices],
    onProgress,
  );
  for (const [figure, each] of found) spread[figure] = each.spread;
  const rate = (figure: string): number => found.get(figure)!.rate;
  return {
    ceilings: {
      readBytesPerSecond: rate('readBytesPerSecond'),
      copyBytesPerSecond: rate('copyBytesPerSecond'),
      f32FlopsPerSecond: rate('f32FlopsPerSecond'),
      ...(found.has('f16FlopsPerSecond') ? { f16FlopsPerSecond: rate('f16FlopsPerSecond') } : {}),
      ...(found.has('int8OpsPerSecond') ? { int8OpsPerSecond: rate('int8OpsPerSecond') } : {}),
      subgroupMatrix: matrices.map(({ figure, shape }) => ({ ...shape, flopsPerSecond: rate(figure) })),
      ...launches,
    },
    spread,
    ...(profiledSeconds === undefined ? {} : { profiledSeconds }),
  };
}
