import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import { laneDefines, selectVariant, TOLERANCE, variantOf, type Variant } from '../variant.js';

/** @param half whether rows are written in f16 */
export function normVariants(capabilities: Capabilities, half = false): Variant[] {
  const variant = (name: string, subgroups: boolean): Variant =>
    variantOf({
      name,
      shader: 'norm/rms_norm.wgsl',
      bindings: 'uurrw',
      defines: {
        ...laneDefines(capabilities, subgroups),
        // Threads of a workgroup, which has a row, and loads of each at once.
        ...(capabilities.isCpu ? { WG: 64, AT_ONCE: 1 } : { WG: 256, AT_ONCE: 4 }),
        // Rows are written in f16.
        half_rows: half,
      },
      tolerance: half ? TOLERANCE.roundedOperands : TOLERANCE.elementwise,
      needs: subgroups ? ['subgroups'] : [],
    });
  return [variant('subgroups', true), variant('tree', false)];
}

export interface NormSpec {
  readonly operation: string;
  readonly step: GPUBuffer | BufferRange;
  /** [tokens][stride] f32, columns from `width` on zero. */
  readonly x: GPUBuffer;
  /** [stride] f32. */
  readonly gamma: GPUBuffer;
  /** As x, or in f16. */
  readonly out: GPUBuffer;
  readonly half?: boolean;
  readonly width: number;
  readonly stride: number;
  readonly eps: number;
  readonly variant?: Variant;
}

/** RMSNorm with its scale, of a step's prompts. */
export class NormKernel {
  readonly #dispatch: Dispatch;

  private constructor(dispatch: Dispatch) {
    this.#dispatch = dispatch;
  }

  static async create(gpu: Gpu, spec: NormSpec): Promise<NormKernel> {
    const variants = normVariants(gpu.capabilities, spec.half);
    const variant = spec.variant ?? selectVariant('norm', variants, gpu.capabilities);
    const pipeline = await gpu.pipelines.get(variant);
    const words = new ArrayBuffer(16);
    new Uint32Array(words).set([spec.width, spec.stride / 4]);
    new Float32Array(words)[2] = spec.eps;
    const params = gpu.uniform(`${spec.operation} params`, words);
    const bindGroup = gpu.bindGroup(pipeline, spec.operation, [spec.step, params, spec.x, spec.gamma, spec.out]);
    return new NormKernel({ pipeline, bindGroup });
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    record(pass, this.#dispatch, rows);
  }
}
