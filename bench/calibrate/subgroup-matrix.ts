import type { Gpu } from '../../src/gpu/gpu.js';
import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import { record } from '../../src/gpu/recorder.js';
import { matrixDefines } from '../../src/kernels/subgroup-matrix.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import type { Measuring } from './ceilings.js';
import { timeRepeatedly, timeSubmission } from './timing.js';

type MatrixRate = Calibration['ceilings']['subgroupMatrix'][number];

/** Accumulators a subgroup keeps, as the shader has them. */
const SUMS = 4;

/**
 * The rate of every subgroup-matrix shape and type the adapter offers. One that its compiler refuses is left out and
 * said, since the list is the driver's promise and not ours.
 */
export async function subgroupMatrixCeilings(
  gpu: Gpu,
  measuring: Measuring,
  onRefused: (config: SubgroupMatrixConfig, reason: string) => void,
): Promise<MatrixRate[]> {
  const { subgroupMatrixConfigs, subgroupMaxSize, isCpu } = gpu.capabilities;
  const groups = isCpu ? 64 : 8192;
  const workgroup = Math.max(subgroupMaxSize, isCpu ? 8 : 128);
  const source = gpu.storage('matrix source', 1 << 16);
  const sink = gpu.storage('matrix sink', 1 << 16);
  const rates: MatrixRate[] = [];
  for (const config of subgroupMatrixConfigs) {
    const { componentType, resultComponentType, M, N, K } = config;
    const name = `${componentType} to ${resultComponentType} ${M}x${N}x${K}`;
    measuring.onProgress?.(`subgroup matrix ${name}`);
    let pipeline;
    try {
      pipeline = await gpu.pipelines.get({
        shader: 'calibrate_matrix.wgsl',
        bindings: 'urw',
        defines: { ...matrixDefines(config), WG: workgroup, fresh: isCpu },
      });
    } catch (error) {
      onRefused(config, (error as Error).message);
      continue;
    }
    for (let rounds = 64; ; rounds *= 4) {
      const params = gpu.uniform('matrix params', Uint32Array.of(rounds, 0, 0, 0));
      const bindGroup = gpu.bindGroup(pipeline, 'matrix', [params, source, sink]);
      const launch = (pass: GPUComputePassEncoder): void => record(pass, pipeline, bindGroup, groups);
      await timeSubmission(gpu, launch);
      if ((await timeSubmission(gpu, launch)) < 0.02 && rounds < 1 << 24) {
        gpu.free(params);
        continue;
      }
      const timing = await timeRepeatedly(gpu, launch, { least: 3, budgetMs: 200 });
      const subgroups = groups * (workgroup / subgroupMaxSize);
      const flops = subgroups * rounds * SUMS * 2 * M * N * K;
      rates.push({ componentType, resultComponentType, M, N, K, flopsPerSecond: flops / timing.best });
      measuring.spread[`subgroupMatrix ${name}`] = timing.spread;
      gpu.free(params);
      break;
    }
  }
  gpu.free(source);
  gpu.free(sink);
  return rates;
}
