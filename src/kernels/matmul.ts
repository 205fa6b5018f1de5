import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import type { Pipeline } from '../gpu/pipelines.js';
import { record } from '../gpu/recorder.js';
import { matrixVariants } from './matmul-matrix.js';
import { laneDefines, type Variant } from './variant.js';
import { dtypeDefines, type StoredDtype, type WeightMatrix, type WeightPart } from './weights.js';

/** What happens to a product before it is stored: nothing, added to what is there, or gate and up joined by SiLU. */
export type Epilogue = (typeof EPILOGUES)[number];
const EPILOGUES = ['store', 'residual', 'silu'] as const;

export interface MatmulVariant extends Variant {
  /** Which rows of a step it makes: those of decoding sequences and logits, or those of prompts. */
  readonly phase: 'decode' | 'prefill';
  /** x is rounded to f16 before it is multiplied. */
  readonly roundsActivations?: boolean;
  /** Rows of x that one workgroup makes. */
  readonly rowsPerGroup: number;
  /** Workgroups along the outputs. */
  groups(outputs: number, capabilities: Capabilities): number;
}

const BINDINGS = 'uurrw';

function vec(
  rows: number,
  outputs: number,
  dtype: StoredDtype,
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
      prefill: false,
      WG: workgroup,
      MT: rows,
      R: outputs,
    },
    phase: 'decode',
    rowsPerGroup: rows,
    runs: (adapter) => !subgroups || adapter.subgroups,
    groups: (n, adapter) => {
      const teams = subgroups ? workgroup / Math.min(workgroup, adapter.subgroupMaxSize) : 1;
      return Math.min(Math.ceil(n / (teams * outputs)), adapter.maxWorkgroupsPerDimension);
    },
  };
}

/**
 * The parameters of a launch over one part of a weight matrix, as `common/matmul.wgsl` reads them.
 *
 * @param xStride row stride of the activations in f32, a multiple of 4
 * @param outStride row stride of the result in f32
 */
export function matmulParams(
  part: WeightPart,
  weights: WeightMatrix,
  xStride: number,
  outStride: number,
  rows: 'tokens' | 'logits',
  epilogue: Epilogue,
): Uint32Array<ArrayBuffer> {
  const last = [rows === 'logits' ? 1 : 0, EPILOGUES.indexOf(epilogue), 0];
  return Uint32Array.of(part.rows, part.rowBegin, weights.stride / 8, xStride / 4, outStride, ...last);
}

/**
 * Every way to run a matmul on some adapter, for few rows (decode) and for many (prefill), best first within each.
 * The tests run all that an adapter can run; `MatmulKernel` uses the first of each kind.
 */
export function matmulVariants(
  dtype: StoredDtype,
  capabilities: Capabilities,
): { few: MatmulVariant[]; many: MatmulVariant[] } {
  const few = [1, 2, 4, 8].flatMap((rows) =>
    [true, false].map((subgroups) => vec(rows, rows > 4 ? 2 : 4, dtype, capabilities, subgroups)),
  );
  const shared = { ...dtypeDefines(dtype), prefill: true };
  const direct: MatmulVariant = {
    name: 'direct',
    shader: 'matmul_direct.wgsl',
    bindings: BINDINGS,
    defines: { ...shared, WG: 64, TM: 4 },
    phase: 'prefill',
    rowsPerGroup: 4,
    runs: () => true,
    groups: (n) => Math.ceil(n / 256),
  };
  const tiled = (fours: 1 | 2): MatmulVariant => {
    const tile = 64 * fours;
    return {
      name: fours === 1 ? 'tiled' : `tiled${tile}`,
      shader: 'matmul_tiled.wgsl',
      bindings: BINDINGS,
      defines: { ...shared, FOURS: fours },
      phase: 'prefill',
      rowsPerGroup: tile,
      runs: (adapter) => adapter.maxInvocations >= 256 && adapter.maxWorkgroupBytes >= 2 * 16 * (tile + 4) * 4,
      groups: (n) => Math.ceil(n / tile),
    };
  };
  const matrix = matrixVariants(dtype, capabilities);
  // A CPU driver spells matrices out in plain arithmetic, more slowly than the kernels written for it.
  return {
    few,
    many: capabilities.isCpu ? [direct, tiled(1), tiled(2), ...matrix] : [...matrix, tiled(1), tiled(2), direct],
  };
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
    /** Kernels for few rows that are compiled, by the rows they take at once, ascending. */
    private readonly few: Compiled[],
    private readonly many: Compiled | undefined,
    private readonly bindGroups: readonly GPUBindGroup[],
    /** Resolves when the kernels for batches are compiled; until then narrower ones do their work. */
    readonly ready: Promise<void>,
  ) {}

  static async create(gpu: Gpu, spec: MatmulSpec): Promise<MatmulKernel> {
    const variants = matmulVariants(spec.weights.dtype, gpu.capabilities);
    const runnable = variants.few.filter((variant) => variant.runs(gpu.capabilities));
    const compiled = (variant: MatmulVariant): Promise<Compiled> =>
      gpu.pipelines.get(variant).then((pipeline) => ({ variant, pipeline }));
    const forRows = (rows: number): Promise<Compiled> =>
      compiled(runnable.find((variant) => variant.rowsPerGroup === rows)!);
    const [one, many] = await Promise.all([
      forRows(1),
      spec.prefill ? compiled(variants.many.find((variant) => variant.runs(gpu.capabilities))!) : undefined,
    ]);
    const few = [one];
    // Eight rows at once spill on CPU drivers, where two groups of four take half the time.
    const widths = gpu.capabilities.isCpu ? [2, 4] : [2, 4, 8];
    const wider = widths.filter((rows) => spec.maxDecodeRows > rows / 2);
    const ready = Promise.all(wider.map(forRows)).then((others) => void few.push(...others));
    ready.catch(() => undefined); // a device closed meanwhile; `ready` still tells whoever asks
    const bindGroups = spec.weights.parts.map((part) => {
      const words = matmulParams(part, spec.weights, spec.xStride, spec.outStride, spec.rows, spec.epilogue);
      const params = gpu.uniform(`${spec.operation} params`, words);
      return gpu.bindGroup(one.pipeline, spec.operation, [spec.step, params, spec.x, part.buffer, spec.out]);
    });
    return new MatmulKernel(gpu, spec, few, many, bindGroups, ready);
  }

  /** The variant used for `rows` rows of a phase, for reports. */
  choose(rows: number, phase: 'prefill' | 'decode'): MatmulVariant {
    return this.#choose(rows, phase === 'decode').variant;
  }

  /**
   * The phase decides, not the number of rows: kernels for few and for many rows add in different orders, and a
   * row's numbers should not depend on who else is in the step.
   */
  #choose(rows: number, decode: boolean): Compiled {
    if (!decode) {
      if (this.many === undefined) throw new Error(`${this.spec.operation} has no kernel for prompts`);
      return this.many;
    }
    for (const candidate of this.few) if (rows <= candidate.variant.rowsPerGroup) return candidate;
    return this.few[this.few.length - 1]; // in several groups of rows
  }

  /**
   * Records a step, a launch for each phase it holds; in a mixed step the weights are read once for each.
   *
   * @param decodeRows the first rows: one new token of a sequence each, or one wanted logit each
   * @param prefillRows the rows behind them: tokens of prompts
   */
  record(pass: GPUComputePassEncoder, decodeRows: number, prefillRows: number): void {
    if (decodeRows > 0) this.#launch(pass, decodeRows, true);
    if (prefillRows > 0) this.#launch(pass, prefillRows, false);
  }

  #launch(pass: GPUComputePassEncoder, rows: number, decode: boolean): void {
    const { variant, pipeline } = this.#choose(rows, decode);
    const { parts } = this.spec.weights;
    for (let i = 0; i < parts.length; i++) {
      const groups = variant.groups(parts[i].rows, this.gpu.capabilities);
      record(pass, pipeline, this.bindGroups[i], groups, Math.ceil(rows / variant.rowsPerGroup));
    }
  }
}
