import type { Capabilities } from '../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../gpu/gpu.js';
import type { Pipeline } from '../gpu/pipelines.js';
import { record } from '../gpu/recorder.js';
import type { Defines } from '../gpu/shader-source.js';
import { fused, fusedBuffers, UNFUSED, type Fusion } from './fusion.js';
import { laneKernel } from './matmul-lanes.js';
import { packedVariants } from './matmul-packed.js';
import { matrixVariants } from './matmul-matrix.js';
import { skinnyVariants } from './matmul-skinny.js';
import { vecVariants } from './matmul-vec.js';
import { selectMatmul, type MatmulChoice, type SelectedWidth } from './matmul-choice.js';
import { promptRows, type PromptRows, type StoredRows } from './prompt-rows.js';
import { MOST_TURNS } from './subgroup-matrix.js';
import type { MatmulTile } from './tile-time.js';
import type { Variant } from './variant.js';
import { weightDefines, type WeightLayout, type WeightMatrix, type WeightPart } from './weights.js';

/** What happens to a product before it is stored: nothing, added to what is there, or gate and up joined by SiLU. */
export type Epilogue = (typeof EPILOGUES)[number];
const EPILOGUES = ['store', 'residual', 'silu'] as const;

export interface MatmulVariant extends Variant {
  /** Which rows of a step it makes: those of decoding sequences and logits, or those of prompts. */
  readonly phase: 'decode' | 'prefill';
  /** x is rounded to f16 before it is multiplied. */
  readonly roundsActivations?: boolean;
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
 * The parameters of a launch over one part of a weight matrix, as `common/matmul.wgsl` reads them.
 *
 * @param xStride row stride of the activations in 32-bit words, a multiple of 4
 * @param outStride row stride of the result in f32
 * @param eps of the norm of a fused launch
 */
export function matmulParams(
  part: WeightPart,
  weights: WeightMatrix,
  xStride: number,
  outStride: number,
  rows: 'tokens' | 'logits',
  epilogue: Epilogue,
  eps = 0,
): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(12);
  words.set([part.rows, part.rowBegin, weights.stride / 8, xStride / 4, outStride]);
  words.set([rows === 'logits' ? 1 : 0, EPILOGUES.indexOf(epilogue), weights.cols], 5);
  new Float32Array(words.buffer)[8] = eps;
  return words;
}

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
): { few: MatmulVariant[]; many: MatmulVariant[] } {
  const lanes = [1, 2, 4, 8].map((rows) => laneKernel(rows, 'decode', layout));
  const vectors = vecVariants(layout, capabilities);
  const skinny = skinnyVariants(layout, capabilities);
  // A CPU driver spells matrices out in plain arithmetic.
  const few = capabilities.isCpu ? [...lanes, ...vectors, ...skinny] : [...skinny, ...lanes, ...vectors];
  if (rows === 'int8') return { few, many: packedVariants(layout, capabilities) };
  const half = rows === 'f16';
  const shared = { ...weightDefines(layout), ...UNFUSED, prefill: true, half_rows: half, MOST_TURNS };
  const direct: MatmulVariant = {
    name: 'direct',
    shader: 'matmul_direct.wgsl',
    bindings: BINDINGS,
    defines: { ...shared, WG: 64, TM: 4 },
    phase: 'prefill',
    roundsActivations: half,
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
      roundsActivations: half,
      rowsPerGroup: tile,
      runs: (adapter) => adapter.maxInvocations >= 256 && adapter.maxWorkgroupBytes >= 2 * 16 * (tile + 4) * 4,
      groups: (n) => Math.ceil(n / tile),
    };
  };
  const matrix = matrixVariants(layout, capabilities, rows);
  // A CPU driver spells matrices out in plain arithmetic, more slowly than the kernels written for it.
  const many = capabilities.isCpu
    ? [...(half ? [] : [laneKernel(8, 'prefill', layout)]), direct, tiled(1), tiled(2), ...matrix]
    : [...matrix, tiled(1), tiled(2), direct];
  return { few, many };
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

/** A matmul with fixed weights and buffers, recorded step after step with the number of rows of that step. */
export class MatmulKernel {
  private constructor(
    private readonly gpu: Gpu,
    private readonly spec: MatmulSpec,
    /** Kernels for few rows that are compiled, by rising number of rows. */
    private readonly few: Compiled[],
    /** Kernels for prompts, by rising number of rows; none where it has no prompts. */
    private readonly many: readonly Compiled[],
    /** By part of the weights. */
    private readonly fewBindGroups: readonly GPUBindGroup[],
    private readonly manyBindGroups: readonly GPUBindGroup[],
    /** Resolves when the kernels for batches are compiled; until then narrower ones do their work. */
    readonly ready: Promise<void>,
  ) {}

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
    const [one, ...many] = await Promise.all([
      narrow(selected.few[0]),
      ...(spec.prefill ? selected.many : []).map(compiled),
    ]);
    const few = [one];
    const wider = selected.few.filter((_, i) => i > 0 && spec.maxDecodeRows > selected.few[i - 1].rows);
    const ready = Promise.all(wider.map(narrow)).then((others) => void few.push(...others));
    ready.catch(() => undefined); // a device closed meanwhile; `ready` still tells whoever asks
    const { operation, weights, step, x, out, fusion, prompts } = spec;
    const halfGate = spec.prefill && rows === 'f16' && spec.epilogue === 'silu';
    if (halfGate && spec.gated === undefined) throw new Error(`${operation} has no place for gated rows in f16`);
    const gated = halfGate ? spec.gated : undefined;
    const paramsOf = (xStride: number, outStride: number): GPUBuffer[] =>
      weights.parts.map((part) => {
        const words = matmulParams(
          ...([part, weights, xStride, outStride, spec.rows, spec.epilogue] as const),
          fusion?.norm.eps,
        );
        return gpu.uniform(`${operation} params`, words);
      });
    const params = paramsOf(spec.xStride, spec.outStride);
    const manyParams =
      prompts === undefined ? params : paramsOf(prompts.words, gated === undefined ? spec.outStride : gated.words);
    const plain = (weight: GPUBuffer): GPUBuffer[] => [x, weight, out];
    const bindGroups = (
      { pipeline }: Compiled,
      params: readonly GPUBuffer[],
      buffers: (weight: GPUBuffer) => (GPUBuffer | BufferRange)[],
    ): GPUBindGroup[] =>
      weights.parts.map(({ buffer }, i) => gpu.bindGroup(pipeline, operation, [step, params[i], ...buffers(buffer)]));
    const fewGroups = bindGroups(
      one,
      params,
      fusion === undefined ? plain : (weight) => fusedBuffers(fusion, weight, out),
    );
    // All kernels for many rows have the same bindings.
    const manyGroups = many
      .slice(0, 1)
      .flatMap((each) =>
        bindGroups(each, manyParams, (weight) => [prompts?.buffer ?? x, weight, gated?.buffer ?? out]),
      );
    return new MatmulKernel(gpu, spec, few, many, fewGroups, manyGroups, ready);
  }

  /** The variant used for `rows` rows of a phase, for reports. */
  choose(rows: number, phase: 'prefill' | 'decode'): MatmulVariant {
    return this.#choose(rows, phase === 'decode').variant;
  }

  /** Whether it has rows of prompts. */
  get runsPrompts(): boolean {
    return this.many.length > 0;
  }

  /**
   * The phase decides which order of sums is used, not the number of rows: kernels for few and for many rows add in
   * different orders, and a row's numbers should not depend on who else is in the step. The number of rows chooses among
   * those of one order.
   */
  #choose(rows: number, decode: boolean): Compiled {
    const candidates = decode ? this.few : this.many;
    if (candidates.length === 0) throw new Error(`${this.spec.operation} has no kernel for prompts`);
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
    const { parts } = this.spec.weights;
    const bindGroups = decode ? this.fewBindGroups : this.manyBindGroups;
    for (let i = 0; i < parts.length; i++) {
      const groups = variant.groups(parts[i].rows, this.gpu.capabilities);
      record(pass, pipeline, bindGroups[i], groups, Math.ceil(rows / variant.rowsPerGroup));
    }
  }
}
