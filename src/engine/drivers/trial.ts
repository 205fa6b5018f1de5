import { RidgepointError } from '../../errors.js';
import { allocatePagedKv } from '../../cache/paged-kv.js';
import type { Gpu } from '../../gpu/gpu.js';
import type { KvStored } from '../../kernels/attention/shape.js';
import type { StoredDtype } from '../../kernels/weights.js';
import type { ModelConfig } from '../../model/config.js';
import type { DistinctLayers } from '../../model/layer-formats.js';
import type { ModelLimits } from '../../model/activations.js';
import { ForwardPass } from '../../model/forward-pass.js';
import { allocateWeights } from '../../model/weights.js';
import type { ActivationDtype } from '../../quantization/activations.js';
import { contestsOf, type ModelContest } from '../../tuning/contests.js';
import { GpuLaboratory } from '../../tuning/laboratory.js';
import { wrongNumbers } from '../../tuning/wrong-numbers.js';
import { firstWrongFused } from './fused.js';
import { wrongRope } from './heads.js';
import type { Finding } from './record.js';

/** The model whose kernels are tried. */
export interface TrialModel {
  readonly config: ModelConfig;
  readonly dtype: StoredDtype;
  /** Of embedding and `lm_head`. */
  readonly head: StoredDtype;
  readonly activations: ActivationDtype;
  /** Layers with formats of their own; all have `dtype` when absent. */
  readonly distinct?: DistinctLayers;
  readonly kv: KvStored;
  readonly tied: boolean;
  readonly limits: ModelLimits;
}

/** Blocks of the cache: a trial reads one, over and over. */
const BLOCKS = 4;

/** What decides which kernels a model takes, as one word. */
export function trialKey({ config, dtype, head, activations, distinct, kv }: TrialModel): string {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab } = config;
  const shape = [hidden, intermediate, `${heads}/${kvHeads}x${headDim}`, vocab];
  const computes = [...(config.family === 'llama' ? [] : [config.family]), ...windowWords(config)];
  const own = distinct && `${distinct.layers}: ${distinct.formats.map((each) => each.join('=')).join(' ')}`;
  return [dtype, head, activations, kv, ...shape, ...computes, ...(own === undefined ? [] : [own])].join(' ');
}

const windowWords = ({ window, windowed }: ModelConfig): string[] =>
  window === undefined ? [] : [windowed === undefined ? 'windows' : 'some windows'];

/**
 * Compiles and runs the kernels that a model takes by default, one after the other: those of a layer, of each kind
 * where formats differ, and of its ends, on buffers of zeros. `gpu.pipelines.trying` is told what is being tried.
 */
export async function runDefaults(gpu: Gpu, model: TrialModel): Promise<void> {
  const { config, formats } = oneOfEach(model);
  await gpu.scoped(async () => {
    const pass = await gpu.checkedAllocation('a trial of the kernels', async () => {
      const weights = allocateWeights(gpu, config, { ...model, formats: new Map(formats) });
      const cache = allocatePagedKv(gpu, config, model.kv, config.layers, BLOCKS);
      return ForwardPass.create(gpu, { config, weights, cache, limits: model.limits, activations: model.activations });
    });
    await pass.warmUp(gpu, { apart: true });
    await pass.ready;
  });
}

/** A model with a layer of each kind: of formats, and where only some layers have a window, each with one and without. */
function oneOfEach({ config, distinct }: TrialModel): { config: ModelConfig; formats: DistinctLayers['formats'] } {
  const { layers, formats } = distinct ?? { layers: 1, formats: [] };
  if (config.windowed === undefined) return { config: { ...config, layers }, formats };
  const windowed = Array.from({ length: 2 * layers }, (_, i) => i >= layers);
  const again = formats.map(([name, dtype]) => [shifted(name, layers), dtype] as const);
  return { config: { ...config, layers: 2 * layers, windowed }, formats: [...formats, ...again] };
}

/** A matrix of a layer further on. */
const shifted = (name: string, by: number): string =>
  name.replace(/(?<=^model\.layers\.)\d+/, (layer) => String(Number(layer) + by));

/**
 * Compares what the default of each contest computes with float64 on the host, and what the launches compute that do
 * more than a product with what they are made of. A wrong one is excluded from the device, and what then is the default
 * checked in its place. Rotation with its biases and norms of heads has one variant, in whose place there is none.
 *
 * @returns what is wrong
 * @throws RidgepointError that names kernel and driver, when all candidates of a contest are wrong
 */
export async function checkDefaults(gpu: Gpu, model: TrialModel): Promise<Finding[]> {
  const laboratory = new GpuLaboratory(gpu, { workingBytes: 0 });
  const findings: Finding[] = [];
  const right = new Set<string>();
  let last: { readonly kernel: string; readonly key: string; readonly reason: string } | undefined;
  try {
    for (;;) {
      const contests = contestsLeft(gpu, model);
      // Taking away what was wrong has left a contest without a candidate.
      if (contests === undefined && last !== undefined) throw wrongNumbers(gpu, last.kernel, last.key, last.reason);
      const wrong =
        (await firstWrong(laboratory, contests ?? [], right)) ??
        (await firstWrongFused(gpu, model, contests ?? [], right));
      if (wrong === undefined) break;
      const { contest, name, reason } = wrong;
      const kernel = laboratory.kernelOf(contest, name);
      if (contest.candidates.every((each) => laboratory.kernelOf(contest, each.name) === kernel)) {
        throw wrongNumbers(gpu, kernel, contest.key, reason);
      }
      findings.push({ kernel, why: 'wrong results' });
      last = { kernel, key: contest.key, reason };
      gpu.withhold({ excluded: [kernel] });
    }
    const rope = await wrongRope(gpu, model.config, model.kv);
    if (rope !== undefined) throw wrongNumbers(gpu, rope.kernel, 'rotation', rope.reason);
    return findings;
  } finally {
    laboratory.destroy();
  }
}

/** The contests of a model with what is not withheld; undefined where one has no candidate left. */
function contestsLeft(gpu: Gpu, { config, limits, kv, ...model }: TrialModel): readonly ModelContest[] | undefined {
  try {
    return contestsOf(config, { formats: model, sequences: limits.sequences, kv }, gpu).contests;
  } catch (error) {
    if (error instanceof RidgepointError && error.code === 'adapter') return undefined;
    throw error;
  }
}

/** @param right keys and names of those known to be right; grows */
async function firstWrong(
  laboratory: GpuLaboratory,
  contests: readonly ModelContest[],
  right: Set<string>,
): Promise<{ contest: ModelContest; name: string; reason: string } | undefined> {
  for (const contest of contests) {
    const usual = [...new Set(contest.cases.map((each) => each.usual))];
    const open = usual.filter((name) => !right.has(`${contest.key} ${name}`));
    if (open.length === 0) continue;
    const [dropped] = await laboratory.open(contest, (bench) => bench.check(open));
    if (dropped !== undefined) return { contest, ...dropped };
    for (const name of open) right.add(`${contest.key} ${name}`);
  }
  return undefined;
}
