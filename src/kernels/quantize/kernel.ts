import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import { activationWords } from '../../quantization/activations.js';
import type { QuantFormat } from '../../quantization/formats.js';
import { laneDefines, selectVariant, variantOf, type Variant } from '../variant.js';

/**
 * @param weights the format of the weights that the rows are multiplied with
 * @param norm whether rows are normalised before they are quantised
 */
export function quantizeVariants(capabilities: Capabilities, weights: QuantFormat, norm: boolean): Variant[] {
  const variant = (name: string, subgroups: boolean): Variant =>
    variantOf({
      name,
      shader: 'quantize/quantize_rows.wgsl',
      bindings: norm ? 'uurwr' : 'uurw',
      defines: {
        ...laneDefines(capabilities, subgroups),
        // Barriers of more than a subgroup are dear on the CPU.
        WG: capabilities.isCpu ? 8 : 256,
        // Rows are normalised on the way.
        norm,
        // The weights have no zero points, so nobody asks for a group's sum.
        symmetric: weights.symmetric,
        // Units of eight columns of a group of the weights.
        GROUP_UNITS: weights.group / 8,
      },
      needs: ['packed-dot', ...(subgroups ? (['subgroups'] as const) : [])],
    });
  // Only the norm adds across lanes.
  return [...(norm ? [variant('norm+subgroups', true)] : []), variant(norm ? 'norm+tree' : 'rows', false)];
}

export interface QuantizeSpec {
  readonly operation: string;
  readonly step: GPUBuffer | BufferRange;
  /** [tokens][stride] f32, columns from `width` on zero. */
  readonly x: GPUBuffer;
  readonly width: number;
  readonly stride: number;
  /** [tokens][activationWords] of the stride. */
  readonly out: GPUBuffer;
  /** Of the weights that the rows are multiplied with. */
  readonly weights: QuantFormat;
  /** Normalises rows on the way. */
  readonly norm?: { readonly gamma: GPUBuffer; readonly eps: number };
  readonly variant?: Variant;
}

/** Quantises the rows of a step's prompts to 8 bits, each by a scale of its own. */
export class QuantizeKernel {
  readonly #dispatch: Dispatch;

  private constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  static async create(gpu: Gpu, spec: QuantizeSpec): Promise<QuantizeKernel> {
    const { operation, step, x, width, stride, out, weights, norm } = spec;
    const { capabilities } = gpu;
    const variants = quantizeVariants(capabilities, weights, norm !== undefined);
    const pipeline = await gpu.pipelines.get(spec.variant ?? selectVariant('quantize', variants, capabilities));
    const words = new Uint32Array([width, stride / 4, 0, activationWords(stride, weights)]);
    new Float32Array(words.buffer)[2] = norm?.eps ?? 0;
    const params = gpu.uniform(`${operation} params`, words);
    const buffers = [step, params, x, out, ...(norm === undefined ? [] : [norm.gamma])];
    return new QuantizeKernel({ pipeline, bindGroup: gpu.bindGroup(pipeline, operation, buffers) });
  }

  /** @param rows of prompts */
  record(pass: GPUComputePassEncoder, rows: number): void {
    record(pass, this.#dispatch, rows);
  }
}
