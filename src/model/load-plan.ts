import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { FusedMatrix } from '../checkpoint/layout.js';
import type { StoredQuants } from '../checkpoint/quants.js';
import type { WeightMatrix } from '../kernels/weights.js';
import { quantFormat, type QuantFormat } from '../quantization/formats.js';
import type { ModelMatrix } from './matrices.js';
import type { ModelWeights } from './weights.js';

/** Quants that can be read as they lie. */
export type TakenQuants = StoredQuants & Required<Pick<StoredQuants, 'window'>>;

/** A matrix or vector, and how its rows come to be on the GPU. */
export type LoadStep =
  /** A norm's scale, in f32. */
  | { readonly way: 'vector'; readonly source: FusedMatrix; readonly buffer: GPUBuffer }
  | { readonly way: 'floats'; readonly source: FusedMatrix; readonly matrix: WeightMatrix }
  /** Made of numbers. `quants`: of its parts, in a checkpoint that holds such; their scales serve where they can. */
  | {
      readonly way: 'quantize';
      readonly source: FusedMatrix;
      readonly matrix: WeightMatrix;
      readonly format: QuantFormat;
      readonly quants: readonly (StoredQuants | undefined)[];
    }
  /** The quants of the checkpoint as they lie. */
  | {
      readonly way: 'take';
      readonly source: FusedMatrix;
      readonly matrix: WeightMatrix;
      readonly format: QuantFormat;
      readonly quants: readonly TakenQuants[];
    };

export type LoadWay<Way extends LoadStep['way']> = Extract<LoadStep, { readonly way: Way }>;

/** Whether a format holds quants exactly as they lie. */
function isTaken(quants: StoredQuants | undefined, { bits, group, symmetric }: QuantFormat): quants is TakenQuants {
  if (quants?.window === undefined || quants.bits !== bits || (symmetric && !quants.symmetric)) return false;
  return quants.groupSize % group === 0 || quants.groupSize >= quants.inputs;
}

/**
 * Decides how each matrix is loaded. All that has to be asked of the checkpoint's format is asked here, so that rows
 * then go one way: file, conversion, order of the matrix, GPU.
 *
 * @throws RidgepointError naming the tensor that is misshapen or damaged
 */
export async function planLoad(
  checkpoint: Checkpoint,
  matrices: readonly ModelMatrix[],
  weights: ModelWeights,
): Promise<LoadStep[]> {
  const steps: LoadStep[] = [];
  for (const { source, target: targetOf } of matrices) {
    const target = targetOf(weights);
    if (!('parts' in target)) {
      steps.push({ way: 'vector', source, buffer: target });
      continue;
    }
    const format = quantFormat(target.dtype);
    steps.push(
      format === undefined
        ? { way: 'floats', source, matrix: target }
        : await quantizedStep(checkpoint, source, target, format),
    );
  }
  return steps;
}

/** How a quantised matrix is loaded. */
export async function quantizedStep(
  checkpoint: Checkpoint,
  source: FusedMatrix,
  matrix: WeightMatrix,
  format: QuantFormat,
): Promise<LoadWay<'quantize' | 'take'>> {
  const quants = await Promise.all(source.parts.map(({ tensor }) => checkpoint.quantsOf(tensor)));
  if (!quants.every((each) => isTaken(each, format))) return { way: 'quantize', source, matrix, format, quants };
  for (const { tensor, rows } of source.parts) checkpoint.require(tensor, [rows, source.cols]);
  return { way: 'take', source, matrix, format, quants };
}
