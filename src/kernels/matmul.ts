import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import type { Pipeline } from '../gpu/pipelines.js';
import { record } from '../gpu/recorder.js';
import { laneDefines, type Variant } from './variant.js';
import { dtypeDefines, type StoredDtype, type WeightMatrix } from './weights.js';

/** What happens to a product before it is stored: nothing, added to what is there, or gate and up joined by SiLU. */
export type Epilogue = 'store' | 'residual' | 'silu';

export interface MatmulVariant extends Variant {
  /** Rows of x that one workgroup makes. */
  readonly rowsPerGroup: number;
  /** Rows of x it is meant for. */
  readonly maxRows: number;
  /** Workgroups along the outputs. */
  groups(outputs: number, capabilities: Capabilities): number;
}

const BINDINGS = 'uurrw';

function vec(
  rows: number,
  outputs: number,
  dtype: StoredDtype,
  epilogue: Epilogue,
  capabilities: Capabilities,
  subgroups: boolean,
): MatmulVariant {
  const workgroup = 64;
  return {
    name: `vec${rows}${subgroups ? '' : '-tree'}`,
    shader: 'matmul_vec.wgsl',
    bindings: BINDINGS,
    defines: {
      ...laneDefines(capabilities, subgroups),
      ...dtypeDefines(dtype),
      ...epilogueDefines(epilogue),
      WG: workgroup,
      MT: rows,
      R: outputs,
    },
    rowsPerGroup: rows,
    maxRows: 32,
    runs: (adapter) => !subgroups || adapter.subgroups,
    groups: (n, adapter) => {
      const teams = subgroups ? workgroup / Math.min(workgroup, adapter.subgroupMaxSize) : 1;
      return Math.min(Math.ceil(n / (teams * outputs)), adapter.maxWorkgroupsPerDimension);
    },
  };
}

function epilogueDefines(epilogue: Epilogue): Record<string, boolean> {
  return { silu: epilogue === 'silu', residual: epilogue === 'residual' };
}

/**
 * Every way to run a matmul on some adapter, for few rows (decode) and for many (prefill), best first within each.
 * The tests run all that an adapter can run; `MatmulKernel` uses the first of each kind.
 */
export function matmulVariants(
  dtype: StoredDtype,
  epilogue: Epilogue,
  capabilities: Capabilities,
): { few: MatmulVariant[]; many: MatmulVariant[] } {
  const few = [1, 2, 4, 8].flatMap((rows) =>
    [true, false].map((subgroups) => vec(rows, rows > 4 ? 2 : 4, dtype, epilogue, capabilities, subgroups)),
  );
  const shared = { ...dtypeDefines(dtype), ...epilogueDefines(epilogue) };
  const direct: MatmulVariant = {
    name: 'direct',
    shader: 'matmul_direct.wgsl',
    bindings: BINDINGS,
    defines: { ...shared, WG: 32, TM: 8 },
    rowsPerGroup: 8,
    maxRows: Infinity,
    runs: () => true,
    groups: (n) => Math.ceil(n / 64),
  };
  const tiled: MatmulVariant = {
    name: 'tiled',
    shader: 'matmul_tiled.wgsl',
    bindings: BINDINGS,
    defines: shared,
    rowsPerGroup: 64,
    maxRows: Infinity,
    runs: (adapter) => adapter.maxInvocations >= 256,
    groups: (n) => Math.ceil(n / 64),
  };
  return { few, many: capabilities.isCpu ? [direct, tiled] : [tiled, direct] };
}

export interface MatmulSpec {
  readonly operation: string;
  readonly weights: WeightMatrix;
  readonly epilogue: Epilogue;
  /** Uniform `Step`. */
  readonly step: GPUBuffer | BufferRange;
  /** Activations [rows][xStride], f32; columns past the true width are zero. */
  readonly x: GPUBuffer;
  readonly xStride: number;
  /** Result [rows][outStride], f32. */
  readonly out: GPUBuffer;
  readonly outStride: number;
  readonly rows: 'tokens' | 'logits';
  /** Most rows a decode step has; kernels for few rows are compiled up to it. */
  readonly maxDecodeRows: number;
  /** Whether steps of many rows occur. */
  readonly prefill: boolean;
}

interface Compiled {
  readonly variant: MatmulVariant;
  readonly pipeline: Pipeline;
}

/** A matmul with fixed weights and buffers, recorded step after step with the number of rows of that step. */
export class MatmulKernel {
  private constructor(
    private readonly gpu: Gpu,
    private readonly spec: MatmulSpec,
    /** By rows it is meant for, ascending. */
    private readonly few: readonly Compiled[],
    private readonly many: Compiled | undefined,
    private readonly bindGroups: readonly GPUBindGroup[],
  ) {}

  static async create(gpu: Gpu, spec: MatmulSpec): Promise<MatmulKernel> {
    const { few, many } = matmulVariants(spec.weights.dtype, spec.epilogue, gpu.capabilities);
    const compiled = (variant: MatmulVariant): Promise<Compiled> =>
      gpu.pipelines.get(variant).then((pipeline) => ({ variant, pipeline }));
    const runnable = few.filter((variant) => variant.runs(gpu.capabilities));
    const sizes = [1, 2, 4, 8].filter((rows, i, all) => rows === 1 || spec.maxDecodeRows > all[i - 1]);
    const [fewCompiled, manyCompiled] = await Promise.all([
      Promise.all(sizes.map((rows) => compiled(runnable.find((variant) => variant.rowsPerGroup === rows)!))),
      spec.prefill ? compiled(many.find((variant) => variant.runs(gpu.capabilities))!) : undefined,
    ]);
    const bindGroups = spec.weights.parts.map((part) => {
      const params = gpu.uniform(
        `${spec.operation} params`,
        Uint32Array.of(
          part.rows,
          part.rowBegin,
          spec.weights.stride / 8,
          spec.xStride / 4,
          spec.outStride,
          spec.rows === 'logits' ? 1 : 0,
          0,
          0,
        ),
      );
      return gpu.bindGroup(fewCompiled[0].pipeline, spec.operation, [spec.step, params, spec.x, part.buffer, spec.out]);
    });
    return new MatmulKernel(gpu, spec, fewCompiled, manyCompiled, bindGroups);
  }

  /** The variant used for `rows` rows, for reports. */
  choose(rows: number): MatmulVariant {
    return this.#choose(rows).variant;
  }

  #choose(rows: number): Compiled {
    for (const candidate of this.few) if (rows <= candidate.variant.rowsPerGroup) return candidate;
    // Between the widest kernel for few rows and its limit, decode batches take several of its row groups.
    const widest = this.few[this.few.length - 1];
    const decodeOnly = this.many === undefined || (rows <= this.spec.maxDecodeRows && rows <= widest.variant.maxRows);
    return decodeOnly ? widest : this.many;
  }

  record(pass: GPUComputePassEncoder, rows: number): void {
    if (rows === 0) return;
    const { variant, pipeline } = this.#choose(rows);
    const { parts } = this.spec.weights;
    for (let i = 0; i < parts.length; i++) {
      const groups = variant.groups(parts[i].rows, this.gpu.capabilities);
      record(
        pass,
        { operation: this.spec.operation, pipeline, bindGroup: this.bindGroups[i] },
        groups,
        Math.ceil(rows / variant.rowsPerGroup),
      );
    }
  }
}
