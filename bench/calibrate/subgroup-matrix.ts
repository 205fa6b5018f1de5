import type { Gpu } from '../../src/gpu/gpu.js';
import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import { record } from '../../src/gpu/recorder.js';
import { matrixDefines } from '../../src/kernels/subgroup-matrix.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import type { Ceiling } from './ceilings.js';
import { longEnough, timeSubmission } from './timing.js';

type MatrixRate = Calibration['ceilings']['subgroupMatrix'][number];

/** A ceiling with the shape and types it is of. */
export interface MatrixCeiling extends Ceiling {
  readonly shape: Omit<MatrixRate, 'flopsPerSecond'>;
}

/** Accumulators a subgroup keeps, as the shader has them. */
const SUMS = 4;

/**
 * Every subgroup-matrix shape and type the adapter offers. One that its compiler refuses is left out and said, since
 * the list is the driver's promise and not ours.
 */
export async function matrixCeilings(
  gpu: Gpu,
  onRefused: (config: SubgroupMatrixConfig, reason: string) => void,
): Promise<MatrixCeiling[]> {
  const { subgroupMatrixConfigs, subgroupMaxSize, isCpu } = gpu.capabilities;
  const groups = isCpu ? 64 : 8192;
  const workgroup = Math.max(subgroupMaxSize, isCpu ? 8 : 128);
  const source = gpu.storage('matrix source', 1 << 16);
  const sink = gpu.storage('matrix sink', 1 << 16);
  const ceilings: MatrixCeiling[] = [];
  for (const config of subgroupMatrixConfigs) {
    const { componentType, resultComponentType, M, N, K } = config;
    let pipeline: Awaited<ReturnType<Gpu['pipelines']['get']>>;
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
    const { value: run, turns } = await longEnough(64, (turns) => {
      const params = gpu.uniform('matrix params', Uint32Array.of(turns, 0, 0, 0));
      const bindGroup = gpu.bindGroup(pipeline, 'matrix', [params, source, sink]);
      const seconds = () => timeSubmission(gpu, (pass) => record(pass, pipeline, bindGroup, groups));
      return { value: seconds, seconds, free: () => gpu.free(params) };
    });
    const name = `subgroupMatrix ${componentType} to ${resultComponentType} ${M}x${N}x${K}`;
    const subgroups = groups * (workgroup / subgroupMaxSize);
    const work = subgroups * turns * SUMS * 2 * M * N * K;
    ceilings.push({ name, figure: name, work, run, shape: { componentType, resultComponentType, M, N, K } });
  }
  return ceilings;
}
