import type { Capabilities } from '../../gpu/capabilities.js';
import type { BufferRange, Gpu } from '../../gpu/gpu.js';
import { record, type Dispatch } from '../../gpu/recorder.js';
import { laneDefines, selectVariant, variantOf, type Variant } from '../variant.js';

/** 32-bit words of one row's sampling parameters. */
export const SAMPLING_WORDS = 12;

/** 32-bit words of a token mask. */
export function maskWords(vocab: number): number {
  return Math.ceil(vocab / 32);
}

/** What the sampler reports when a row's logits hold a NaN. */
export const NO_TOKEN = 0xffffffff;

/** What the sampler needs to know of one row. Fields and their neutral values as in `SamplingOptions`. */
export interface SamplingRow {
  readonly slot: number;
  /** Whether the state table (penalties, bias) is in use for this sequence. */
  readonly usesState: boolean;
  /** Whether only tokens of the slot's mask may be chosen. */
  readonly usesMask?: boolean;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly presencePenalty: number;
  readonly frequencyPenalty: number;
  readonly seed: number;
  /** Index of the token in its generation. */
  readonly draw: number;
}

/** A row that takes its largest logit, for steps that are made for their time alone. */
export const GREEDY_SAMPLING: SamplingRow = {
  slot: 0,
  usesState: false,
  temperature: 0,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 0,
  draw: 0,
};

/** Writes a row's parameters as `sample.wgsl` reads them, at word `at`. @param later draws after the row's own */
export function writeSampling(u32: Uint32Array, f32: Float32Array, at: number, row: SamplingRow, later = 0): void {
  u32[at] = row.slot;
  u32[at + 1] = (row.usesState ? 1 : 0) | (row.usesMask ? 2 : 0);
  f32[at + 2] = row.temperature;
  u32[at + 3] = row.topK;
  f32[at + 4] = row.topP;
  f32[at + 5] = row.minP;
  f32[at + 6] = row.repetitionPenalty;
  f32[at + 7] = row.presencePenalty;
  f32[at + 8] = row.frequencyPenalty;
  u32[at + 9] = row.seed;
  u32[at + 10] = row.draw + later;
  u32[at + 11] = 0;
}

/** Ways to sample, best first, and the short way for steps in which every row takes its largest logit. */
export function sampleVariants(capabilities: Capabilities): { full: Variant[]; greedy: Variant } {
  // One workgroup has a row to itself, so on a GPU it is as large as it may be; each thread has four loads under way.
  const sizes = capabilities.isCpu
    ? // Threads of a workgroup, and loads of each at once.
      { WG: 64, AT_ONCE: 1 }
    : { WG: Math.min(1024, 2 ** Math.floor(Math.log2(capabilities.maxInvocations))), AT_ONCE: 4 };
  const full = (name: string, subgroups: boolean): Variant =>
    variantOf({
      name,
      shader: 'sample/sample.wgsl',
      bindings: BINDINGS,
      defines: { ...laneDefines(capabilities, subgroups), ...sizes },
      needs: subgroups ? ['subgroups'] : [],
    });
  return {
    full: [full('subgroups', true), full('tree', false)],
    greedy: variantOf({
      name: 'greedy',
      shader: 'sample/sample_greedy.wgsl',
      bindings: BINDINGS,
      // On a CPU driver a tree compiles quicker.
      defines: { ...laneDefines(capabilities, capabilities.subgroups && !capabilities.isCpu), ...sizes },
      needs: [],
    }),
  };
}

const BINDINGS = 'uurrwwwr';

/** Whether a row takes its largest logit as it is. */
export function isGreedy(row: SamplingRow): boolean {
  return row.temperature === 0 && !row.usesState && !row.usesMask;
}

export interface SampleSpec {
  readonly operation: string;
  readonly step: GPUBuffer | BufferRange;
  readonly vocab: number;
  /** Row stride of `logits` in f32, a multiple of 4. */
  readonly stride: number;
  readonly sampling: GPUBuffer | BufferRange;
  readonly logits: GPUBuffer;
  /** [slots][vocab] of (seen, bias). */
  readonly state: GPUBuffer;
  readonly slotTokens: GPUBuffer;
  readonly sampled: GPUBuffer;
  /** [slots][mask words], a bit a token from the lowest up, set where it may be chosen. */
  readonly masks: GPUBuffer;
  /** In place of those selected for rows that are not greedy, and for steps in which all are. */
  readonly variant?: Variant;
  readonly greedy?: Variant;
}

/** Chooses the next token of each row on the GPU. */
export class SampleKernel {
  readonly #full: Dispatch;
  readonly #greedy: Dispatch;

  private constructor(full: Dispatch, greedy: Dispatch) {
    this.#full = full;
    this.#greedy = greedy;
  }

  static async create(gpu: Gpu, spec: SampleSpec): Promise<SampleKernel> {
    const variants = sampleVariants(gpu.capabilities);
    const chosen = spec.variant ?? selectVariant('sample', variants.full, gpu.capabilities);
    const [full, greedy] = await Promise.all([
      gpu.pipelines.get(chosen),
      gpu.pipelines.get(spec.greedy ?? variants.greedy),
    ]);
    const params = gpu.uniform(`${spec.operation} params`, Uint32Array.of(spec.vocab, spec.stride / 4, 0, 0));
    const bindGroup = gpu.bindGroup(full, spec.operation, [
      spec.step,
      params,
      spec.sampling,
      spec.logits,
      spec.state,
      spec.slotTokens,
      spec.sampled,
      spec.masks,
    ]);
    return new SampleKernel({ pipeline: full, bindGroup }, { pipeline: greedy, bindGroup });
  }

  /** @param greedy whether every row is greedy (`isGreedy`) */
  record(pass: GPUComputePassEncoder, rows: number, greedy: boolean): void {
    record(pass, greedy ? this.#greedy : this.#full, rows);
  }
}
