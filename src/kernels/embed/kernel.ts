import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import type { Pipeline } from '../../gpu/pipelines.js';
import { record } from '../../gpu/recorder.js';
import { variantOf, type Variant } from '../variant.js';
import { weightDefines, type WeightLayout, type WeightMatrix } from '../weights.js';

export function embedVariant(table: WeightLayout, { isCpu, maxInvocations }: Capabilities): Variant {
  return variantOf({
    name: 'gather',
    shader: 'embed/embed.wgsl',
    bindings: 'uurrrw',
    defines: {
      ...weightDefines(table),
      // A row has few units of eight columns; on a GPU all are asked for at once.
      WG: isCpu ? 64 : Math.min(512, maxInvocations),
    },
    needs: [],
  });
}

export interface EmbedSpec {
  readonly operation: string;
  readonly step: GPUBuffer | BufferRange;
  /** [tokens] of Row: token, position, slot, kv index. */
  readonly rows: GPUBuffer | BufferRange;
  readonly table: WeightMatrix;
  /** [slots] u32: the token the sampler chose last. */
  readonly slotTokens: GPUBuffer;
  /** [tokens][outStride] f32. */
  readonly out: GPUBuffer;
  readonly outStride: number;
}

/** Token ids to rows of the residual stream. */
export class EmbedKernel {
  readonly #pipeline: Pipeline;
  readonly #bindGroups: readonly GPUBindGroup[];

  private constructor(pipeline: Pipeline, bindGroups: readonly GPUBindGroup[]) {
    this.#pipeline = pipeline;
    this.#bindGroups = bindGroups;
  }

  static async create(gpu: Gpu, spec: EmbedSpec): Promise<EmbedKernel> {
    const pipeline = await gpu.pipelines.get(embedVariant(spec.table, gpu.capabilities));
    const bindGroups = spec.table.parts.map((part) => {
      const params = gpu.uniform(
        `${spec.operation} params`,
        Uint32Array.of(part.rowBegin, part.rowBegin + part.rows, spec.table.stride / 8, spec.outStride / 4),
      );
      return gpu.bindGroup(pipeline, spec.operation, [
        spec.step,
        params,
        spec.rows,
        part.buffer,
        spec.slotTokens,
        spec.out,
      ]);
    });
    return new EmbedKernel(pipeline, bindGroups);
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    for (const bindGroup of this.#bindGroups) {
      record(pass, { pipeline: this.#pipeline, bindGroup }, rows);
    }
  }
}
