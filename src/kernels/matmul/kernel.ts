import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import type { Pipeline } from '../../gpu/pipelines.js';
import { record } from '../../gpu/recorder.js';
import type { Defines } from '../../gpu/shader-source.js';
import { fused, fusedBuffers, UNFUSED, type Fusion } from './fusion.js';
import { laneKernel } from './lanes.js';
import { dot8Variants } from './dot8.js';
import { matrixVariants } from './matrix.js';
import { skinnyVariants } from './skinny.js';
import { vecVariants } from './vec.js';
import { selectMatmul, type MatmulChoice, type MatmulVariants, type SelectedWidth } from './choice.js';
import { matmulParams, type Epilogue } from './params.js';
import { promptRows, type PromptRows, type StoredRows } from './prompt-rows.js';
import { MOST_TURNS } from '../subgroup-matrix.js';
import type { MatmulTile } from './tile-time.js';
import { madeOnce, TOLERANCE, variantOf, type Variant } from '../variant.js';
import { weightDefines, type WeightLayout, type WeightMatrix } from '../weights.js';

export { matmulParams, type Epilogue };

export interface MatmulVariant extends Variant {
  /** Which rows of a step it makes: those of decoding sequences and logits, or those of prompts. */
  readonly phase: 'decode' | 'prefill';
  /**
   * Names the order in which a row's products are added; its own name when absent. Variants of one order give a row the
   * same bits whatever rows run beside it and however many outputs a group makes.
   */
  readonly order?: string;
  /** Rows of x that one workgroup makes. */
  readonly rowsPerGroup: number;
  /** Rows of a step from which on it is worth trying; from more than half a group's when absent. */
  readonly leastRows?: number;
  /** Of a kernel for many rows on matrices. */
  readonly tile?: MatmulTile;
  /** Whether it is, unmeasured, the one to take for a product, of those that make as many rows; it is when absent. */
  usual?(need: MatmulNeed): boolean;
  /** What it is compiled with besides for weights of so many units of eight columns, where it gains by knowing. */
  sized?(units: number): Defines;
  /** Workgroups along the outputs. */
  groups(outputs: number, capabilities: Capabilities): number;
}

/** What decides among variants that were not measured. */
export interface MatmulNeed {
  /** Rows and columns of the weights. */
  readonly n: number;
  readonly k: number;
  /** Sequences that may decode together. */
  readonly sequences: number;
}

/** A variant as it is compiled for weights; a CPU driver, which is slow to compile, takes one for all widths. */
export function sizedTo(
  variant: MatmulVariant,
  { stride }: Pick<WeightMatrix, 'stride'>,
  { isCpu }: Capabilities,
): MatmulVariant {
  if (isCpu || variant.sized === undefined) return variant;
  return { ...variant, defines: { ...variant.defines, ...variant.sized(stride / 8) } };
}

const BINDINGS = 'uurrw';

/**
 * Every way to run a matmul on some adapter, for few rows (decode) and for many (prefill), best first within each.
 * The tests run all that an adapter can run; `MatmulKernel` uses the first of each kind.
 *
 * @param rows what the kernels for many rows multiply weights with, by default what suits the adapter; int8 needs weights
 *   of 8 bits, f16 subgroup matrices
 */
export function matmulVariants(
  layout: WeightLayout,
  capabilities: Capabilities,
  rows: PromptRows = promptRows('f32', layout, capabilities),
): MatmulVariants {
  return madeForRows(capabilities, layout, rows);
}

const madeForRows = madeOnce(
  ({ dtype, lanes }: WeightLayout, rows: PromptRows) => `${dtype} ${lanes} ${rows}`,
  makeVariants,
);

function makeVariants(capabilities: Capabilities, layout: WeightLayout, rows: PromptRows): MatmulVariants {
  const lanes = [1, 2, 4, 8].map((rows) => laneKernel(rows, 'decode', layout));
  const vectors = vecVariants(layout, capabilities);
  const skinny = skinnyVariants(layout, capabilities);
  // A CPU driver spells matrices out in plain arithmetic.
  const decode = capabilities.isCpu ? [...lanes, ...vectors, ...skinny] : [...skinny, ...lanes, ...vectors];
  if (rows === 'int8') return { decode, prefill: dot8Variants(layout, capabilities) };
  const half = rows === 'f16';
  const shared: Defines = {
    ...weightDefines(layout),
    ...UNFUSED,
    // Rows of prompts, behind those that decode.
    prefill: true,
    // x comes in f16.
    half_rows: half,
    // The bound of a loop that is left by `break`.
    MOST_TURNS,
  };
  const tolerance = half ? TOLERANCE.roundedOperands : TOLERANCE.f32;
  const direct: MatmulVariant = variantOf({
    name: 'direct',
    shader: 'matmul/matmul_direct.wgsl',
    bindings: BINDINGS,
    // Threads of a workgroup, and rows of x that each makes.
    defines: { ...shared, WG: 64, TM: 4 },
    phase: 'prefill',
    rowsPerGroup: 4,
    tolerance,
    needs: [],
    groups: (n) => Math.ceil(n / 256),
  });
  const tiled = (fours: 1 | 2): MatmulVariant => {
    const tile = 64 * fours;
    return variantOf({
      name: fours === 1 ? 'tiled' : `tiled${tile}`,
      shader: 'matmul/matmul_tiled.wgsl',
      bindings: BINDINGS,
      // Fours of rows, and of outputs, that a thread makes.
      defines: { ...shared, FOURS: fours },
      phase: 'prefill',
      rowsPerGroup: tile,
      tolerance,
      compiles: fours === 2 ? 'seconds' : undefined,
      needs: [],
      fits: (adapter) => adapter.maxInvocations >= 256 && adapter.maxWorkgroupBytes >= 2 * 16 * (tile + 4) * 4,
      groups: (n) => Math.ceil(n / tile),
    });
  };
  const matrix = matrixVariants(layout, capabilities, rows);
  // A CPU driver spells matrices out in plain arithmetic, more slowly than the kernels written for it.
  const prefill = capabilities.isCpu
    ? [...(half ? [] : [laneKernel(8, 'prefill', layout)]), direct, tiled(1), tiled(2), ...matrix]
    : [...matrix, tiled(1), tiled(2), direct];
  return { decode, prefill };
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
  /** Sequences that may decode together; default `maxDecodeRows`. */
  readonly sequences?: number;
  /** Whether steps of many rows occur. */
  readonly prefill: boolean;
  /** Rows of prompts in another format, which products of prompts take instead of `x`. */
  readonly prompts?: StoredRows;
  /** Where gated rows of prompts go that are f16 as those of `prompts` are. */
  readonly gated?: StoredRows;
  /** What launches for decoding sequences do besides; their `x`, and where heads are filed `out`, are the fusion's. */
  readonly fusion?: Fusion;
  /** Default: what suits the adapter unmeasured. */
  readonly choice?: MatmulChoice;
}

interface Compiled {
  /** Rows of a step up to which it is used. */
  readonly rows: number;
  readonly variant: MatmulVariant;
  readonly pipeline: Pipeline;
}

interface MatmulKernels {
  /** Kernels for few rows that are compiled, by rising number of rows. */
  readonly decode: Compiled[];
  /** Kernels for prompts, by rising number of rows; none where it has no prompts. */
  readonly prefill: readonly Compiled[];
  /** By part of the weights. */
  readonly decodeGroups: readonly GPUBindGroup[];
  readonly prefillGroups: readonly GPUBindGroup[];
  readonly ready: Promise<void>;
}

/** A matmul with fixed weights and buffers, recorded step after step with the number of rows of that step. */
export class MatmulKernel {
  readonly #gpu: Gpu;
  readonly #spec: MatmulSpec;
  readonly #kernels: MatmulKernels;

  private constructor(gpu: Gpu, spec: MatmulSpec, kernels: MatmulKernels) {
    this.#gpu = gpu;
    this.#spec = spec;
    this.#kernels = kernels;
  }

  /** Resolves when the kernels for batches are compiled; until then narrower ones do their work. */
  get ready(): Promise<void> {
    return this.#kernels.ready;
  }

  static async create(gpu: Gpu, spec: MatmulSpec): Promise<MatmulKernel> {
    const { capabilities } = gpu;
    const rows = spec.prompts?.rows ?? 'f32';
    const variants = matmulVariants(spec.weights, capabilities, rows);
    const need = { n: spec.weights.rows, k: spec.weights.cols, sequences: spec.sequences ?? spec.maxDecodeRows };
    const selected = selectMatmul(variants, capabilities, need, spec.choice);
    const compiled = ({ rows, variant }: SelectedWidth): Promise<Compiled> =>
      gpu.pipelines.get(sizedTo(variant, spec.weights, capabilities)).then((pipeline) => ({ variant, pipeline, rows }));
    const narrow = ({ rows, variant }: SelectedWidth): Promise<Compiled> =>
      compiled({ rows, variant: fused(variant, spec.fusion) });
    const [one, ...prefill] = await Promise.all([
      narrow(selected.decode[0]),
      ...(spec.prefill ? selected.prefill : []).map(compiled),
    ]);
    const decode = [one];
    const wider = selected.decode.filter((_, i) => i > 0 && spec.maxDecodeRows > selected.decode[i - 1].rows);
    const ready = Promise.all(wider.map(narrow)).then((others) => void decode.push(...others));
    ready.catch(() => undefined); // a device closed meanwhile; `ready` still tells whoever asks
    const { operation, weights, step, x, out, fusion, prompts } = spec;
    const halfGate = spec.prefill && rows === 'f16' && spec.epilogue === 'silu';
    if (halfGate && spec.gated === undefined) throw new Error(`${operation} has no place for gated rows in f16`);
    const gated = halfGate ? spec.gated : undefined;
    const paramsOf = (xStride: number, outStride: number): GPUBuffer[] =>
      weights.parts.map((part) => {
        const { rows, epilogue } = spec;
        const [eps, bias] = [fusion?.norm.eps, fusion?.heads?.constants?.bias];
        const words = matmulParams(part, weights, { xStride, outStride, rows, epilogue, eps, bias });
        return gpu.uniform(`${operation} params`, words);
      });
    const params = paramsOf(spec.xStride, spec.outStride);
    const prefillParams =
      prompts === undefined ? params : paramsOf(prompts.words, gated === undefined ? spec.outStride : gated.words);
    const plain = (weight: GPUBuffer): GPUBuffer[] => [x, weight, out];
    const bindGroups = (
      { pipeline }: Compiled,
      params: readonly GPUBuffer[],
      buffers: (weight: GPUBuffer) => (GPUBuffer | BufferRange)[],
    ): GPUBindGroup[] =>
      weights.parts.map(({ buffer }, i) => gpu.bindGroup(pipeline, operation, [step, params[i], ...buffers(buffer)]));
    const decodeGroups = bindGroups(
      one,
      params,
      fusion === undefined ? plain : (weight) => fusedBuffers(fusion, weight, out),
    );
    // All kernels for many rows have the same bindings.
    const prefillGroups = prefill
      .slice(0, 1)
      .flatMap((each) =>
        bindGroups(each, prefillParams, (weight) => [prompts?.buffer ?? x, weight, gated?.buffer ?? out]),
      );
    return new MatmulKernel(gpu, spec, { decode, prefill, decodeGroups, prefillGroups, ready });
  }

  /** The variant used for `rows` rows of a phase, for reports. */
  choose(rows: number, phase: 'prefill' | 'decode'): MatmulVariant {
    return this.#choose(rows, phase === 'decode').variant;
  }

  /** Whether it has rows of prompts. */
  get runsPrompts(): boolean {
    return this.#kernels.prefill.length > 0;
  }

  /**
   * The phase decides which order of sums is used, not the number of rows: kernels for few and for many rows add in
   * different orders, and a row's numbers should not depend on who else is in the step. The number of rows chooses among
   * those of one order.
   */
  #choose(rows: number, decode: boolean): Compiled {
    const candidates = decode ? this.#kernels.decode : this.#kernels.prefill;
    if (candidates.length === 0) throw new Error(`${this.#spec.operation} has no kernel for prompts`);
    for (const candidate of candidates) if (rows <= candidate.rows) return candidate;
    return candidates[candidates.length - 1]; // in several groups of rows
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
    const { parts } = this.#spec.weights;
    const bindGroups = decode ? this.#kernels.decodeGroups : this.#kernels.prefillGroups;
    for (let i = 0; i < parts.length; i++) {
      const groups = variant.groups(parts[i].rows, this.#gpu.capabilities);
      record(pass, { pipeline, bindGroup: bindGroups[i] }, groups, Math.ceil(rows / variant.rowsPerGroup));
    }
  }
}
