import type { EngineHost } from '../../src/engine/host.js';
import { Gpu } from '../../src/gpu/gpu.js';
import { RidgepointError } from '../../src/errors.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import { fmaCeiling, launchCosts, memoryCeilings, type Measuring } from './ceilings.js';
import { kernelEfficiencies } from './efficiencies.js';
import { subgroupMatrixCeilings } from './subgroup-matrix.js';

export interface CalibrateOptions {
  readonly adapter?: string;
  /** Leave out the engine's own kernels. */
  readonly ceilingsOnly?: boolean;
  readonly onProgress?: (what: string) => void;
  /** A figure that could not be measured, and why. */
  readonly onSkipped?: (what: string) => void;
}

/**
 * Measures an adapter: its ceilings with kernels built for nothing else, then how far the engine's kernels get towards
 * them.
 *
 * @param version of Ridgepoint, for the record
 */
export async function calibrate(host: EngineHost, version: string, options: CalibrateOptions): Promise<Calibration> {
  const { onProgress, onSkipped } = options;
  const source = await host.openGpu(options.adapter);
  const gpu = await Gpu.open(source);
  const spread: Record<string, number> = {};
  const measuring: Measuring = { onProgress, spread };
  let ceilings: Calibration['ceilings'];
  try {
    ceilings = {
      ...(await memoryCeilings(gpu, measuring)),
      f32FlopsPerSecond: await fmaCeiling(gpu, false, measuring),
      ...(gpu.capabilities.f16 ? { f16FlopsPerSecond: await fmaCeiling(gpu, true, measuring) } : {}),
      subgroupMatrix: await subgroupMatrixCeilings(gpu, measuring, ({ componentType, M, N, K }, reason) =>
        onSkipped?.(`subgroup matrix ${componentType} ${M}x${N}x${K}: ${reason}`),
      ),
      ...(await launchCosts(gpu, measuring)),
    };
    gpu.check();
  } finally {
    await gpu.dispose();
  }
  let efficiencies: Calibration['efficiencies'] = {};
  if (!options.ceilingsOnly) {
    if (!gpu.capabilities.timestamps) {
      onSkipped?.('the engine’s kernels: this adapter has no timestamps, so predictions take default efficiencies');
    } else {
      try {
        efficiencies = await kernelEfficiencies(host, source.name, ceilings, onProgress);
      } catch (error) {
        if (!(error instanceof RidgepointError) || error.code !== 'memory') throw error;
        onSkipped?.(`the engine’s kernels: ${error.message}`);
      }
    }
  }
  return {
    version: 1,
    adapter: source.name,
    driver: source.driver,
    isCpu: gpu.capabilities.isCpu,
    date: new Date().toISOString(),
    ridgepoint: version,
    ceilings,
    efficiencies,
    spread,
  };
}
