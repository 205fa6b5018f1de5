import type { Gpu } from '../../src/gpu/gpu.js';
import type { SubgroupMatrixConfig } from '../../src/gpu/capabilities.js';
import { record } from '../../src/gpu/recorder.js';
import { Stopwatch } from '../../src/gpu/stopwatch.js';
import { matrixDefines } from '../../src/kernels/subgroup-matrix.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { inRounds, longEnough } from './timing.js';

export type MatrixRate = Calibration['ceilings']['subgroupMatrix'][number];

/** What became of one configuration: it is begun, then measured or refused. `at` is its place in the adapter's list. */
export type MatrixNews =
  | { readonly at: number }
  | { readonly at: number; readonly rate: MatrixRate; readonly spread: number }
  | { readonly at: number; readonly refused: string };

/** Measures an adapter's configurations from a place in its list on, telling of each as it comes. */
export type MatrixSurvey = (
  configs: readonly SubgroupMatrixConfig[],
  tell: (news: MatrixNews) => void,
) => Promise<void>;

/** Accumulators a subgroup keeps, as the shader has them. */
const SUMS = 4;
/** Milliseconds for a configuration. */
const BUDGET = 400;

/** `f16 to f32 16x16x16` */
export function surveyName({ componentType, resultComponentType, M, N, K }: SubgroupMatrixConfig): string {
  return `${componentType} to ${resultComponentType} ${M}x${N}x${K}`;
}

/**
 * The rate of one subgroup-matrix shape and type that the adapter offers.
 *
 * @throws Error where its compiler or its device refuses it: the list is the driver's promise and not ours
 */
async function matrixRate(gpu: Gpu, config: SubgroupMatrixConfig): Promise<{ rate: MatrixRate; spread: number }> {
  const { subgroupMaxSize, isCpu } = gpu.capabilities;
  const { componentType, resultComponentType, M, N, K } = config;
  const groups = isCpu ? 64 : 8192;
  const workgroup = Math.max(subgroupMaxSize, isCpu ? 8 : 128);
  const source = gpu.storage('matrix source', 1 << 16);
  const sink = gpu.storage('matrix sink', 1 << 16);
  const pipeline = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_matrix.wgsl',
    bindings: 'urw',
    defines: { ...matrixDefines(config), WG: workgroup, fresh: isCpu },
  });
  const clock = new Stopwatch(gpu);
  try {
    const { value: run, turns } = await longEnough(64, (turns) => {
      const params = gpu.uniform('matrix params', Uint32Array.of(turns, 0, 0, 0));
      const bindGroup = gpu.bindGroup(pipeline, 'matrix', [params, source, sink]);
      const seconds = () => clock.time({ record: (pass) => record(pass, { pipeline, bindGroup }, groups) }, 1);
      return { value: seconds, seconds, free: () => gpu.free(params) };
    });
    const timed = { name: surveyName(config), run };
    const { best, spread } = (await inRounds([timed], { budgetMs: BUDGET })).get(timed)!;
    gpu.check();
    const work = groups * (workgroup / subgroupMaxSize) * turns * SUMS * 2 * M * N * K;
    return { rate: { componentType, resultComponentType, M, N, K, flopsPerSecond: work / best }, spread };
  } finally {
    clock.destroy();
  }
}

/**
 * Measures configurations one after the other, each on a device of its own, so that one that is refused, or takes its
 * device along, costs no other's figure.
 *
 * @param open opens the adapter anew
 * @param from place of the first
 */
export async function surveyMatrices(
  open: () => Promise<Gpu>,
  configs: readonly SubgroupMatrixConfig[],
  from: number,
  tell: (news: MatrixNews) => void,
): Promise<void> {
  for (let at = from; at < configs.length; at++) {
    tell({ at });
    const gpu = await open();
    try {
      tell({ at, ...(await matrixRate(gpu, configs[at])) });
    } catch (error) {
      tell({ at, refused: (error as Error).message });
    } finally {
      await gpu.dispose();
    }
  }
}
