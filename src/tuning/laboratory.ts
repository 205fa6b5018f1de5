import { f16ToF32, f32Value } from '../checkpoint/float.js';
import type { Gpu } from '../gpu/gpu.js';
import { Stopwatch, type Timed } from '../gpu/stopwatch.js';
import type { RidgepointError } from '../errors.js';
import { pipelineName } from '../gpu/pipelines.js';
import { attentionVariants } from '../kernels/attention/kernel.js';
import { attentionTrial, attentionTrialData, type AttentionCase } from '../kernels/attention/trial.js';
import { layoutOn, matmulTrial, matmulTrialData, trialOutputs } from '../kernels/matmul/trial.js';
import { matmulVariants } from '../kernels/matmul/kernel.js';
import { selectVariant, type Variant } from '../kernels/variant.js';
import { paddedColumns } from '../kernels/weights.js';
import type { Contest, Samples } from './contest.js';
import { parseParts, type ModelContest } from './contests.js';
import type { TunedEntry } from './file.js';
import { attentionSample, disagreement, matmulSample, pick, type SampledOutputs } from './reference.js';
import type { Laboratory, LaboratoryBench } from './tune.js';
import { wrongNumbers } from './wrong-numbers.js';

const MIB = 1 << 20;
/** NaN in f16. */
const NOT_A_HALF = 0x7e00;

/** What candidates are judged by: their results on the same data. */
interface Trial {
  /** Makes a candidate's launch. */
  readonly make: (name: string) => Promise<Timed>;
  readonly out: GPUBuffer;
  /** Whether it is written in f16. */
  readonly half?: boolean;
  readonly rows: number;
  /** Numbers of a row, and how far apart rows are. */
  readonly width: number;
  readonly stride: number;
  readonly sample: SampledOutputs;
}

export interface LaboratoryOptions {
  readonly signal?: AbortSignal;
  /** Bytes that copies of the data make up at least, so that no cache holds them; 0 where nothing is timed. */
  readonly workingBytes?: number;
  /** False on a device that computes nothing, as tests have it: results are not compared. */
  readonly check?: boolean;
}

/** Measures and checks on a GPU with random data. Nothing else may run or allocate on it meanwhile. */
export class GpuLaboratory implements Laboratory {
  readonly #stopwatch: Stopwatch;
  readonly #workingBytes: number;
  readonly #signal: AbortSignal | undefined;
  readonly #compares: boolean;
  readonly #gpu: Gpu;

  constructor(gpu: Gpu, { signal, workingBytes, check = true }: LaboratoryOptions = {}) {
    this.#gpu = gpu;
    this.#stopwatch = new Stopwatch(gpu);
    this.#signal = signal;
    this.#compares = check;
    // More than the last-level cache of the machines in question holds.
    this.#workingBytes = workingBytes ?? (gpu.capabilities.isCpu ? 64 : 384) * MIB;
  }

  now(): number {
    return performance.now();
  }

  open<T>(contest: Contest, body: (bench: LaboratoryBench) => Promise<T>): Promise<T> {
    const { subject } = contest as ModelContest;
    return this.#gpu.scoped(async () => {
      const bench = subject.kind === 'matmul' ? await this.#matmul(contest) : this.#attention(contest);
      return body(bench);
    });
  }

  destroy(): void {
    this.#stopwatch.destroy();
  }

  hopeless(contest: Contest, { name, reason }: TunedEntry['dropped'][number]): RidgepointError {
    return wrongNumbers(this.#gpu, this.kernelOf(contest, name), contest.key, reason);
  }

  /** The pipeline of a candidate, by the name that the pipeline cache gives it. */
  kernelOf(contest: Contest, name: string): string {
    const { capabilities } = this.#gpu;
    const { subject } = contest as ModelContest;
    if (subject.kind === 'attention') {
      const { phase, shape, kv, half } = subject;
      const variants: readonly Variant[] = attentionVariants(shape, kv, capabilities, half)[phase];
      const own = phase === 'decode' ? parseParts(name).name : name;
      return pipelineName(selectVariant('attention', variants, capabilities, own));
    }
    const { dtype, activations, phase } = subject;
    const variants = matmulVariants(layoutOn({ capabilities }, dtype), capabilities, activations)[phase];
    return pipelineName(variants.find((each) => each.name === name)!);
  }

  async #matmul(contest: Contest): Promise<LaboratoryBench> {
    const gpu = this.#gpu;
    const { subject } = contest as ModelContest;
    if (subject.kind !== 'matmul') throw new Error('not a matmul');
    const { phase, n, k, dtype, activations } = subject;
    const most = Math.max(...contest.cases.map(({ id }) => Number(id)));
    const shape = { n: trialOutputs({ n, k, dtype }, most, gpu.capabilities.isCpu), k, dtype, activations };
    const data = await gpu.checkedAllocation(contest.key, () => matmulTrialData(gpu, shape, most, this.#workingBytes));
    const variants = matmulVariants(data.copies[0], gpu.capabilities, data.prompts?.rows ?? 'f32')[phase];
    const trial = (name: string, rows: number): Promise<Timed> => {
      const variant = variants.find((each) => each.name === name)!;
      return matmulTrial(gpu, data, variant, phase, rows);
    };
    return {
      check: async (only) => {
        // The last group of a kernel that takes several rows at once is then a part of one.
        const rows = phase === 'decode' ? most - 1 : Math.min(most, 77);
        const sample = await matmulSample(gpu, data, rows);
        const stride = paddedColumns(shape.n);
        const make = (name: string): Promise<Timed> => trial(name, rows);
        return this.#judge(contest, { make, out: data.out, rows, width: shape.n, stride, sample }, only);
      },
      time: (id, names, budgetMs) => this.#time(names, (name) => trial(name, Number(id)), budgetMs),
    };
  }

  #attention(contest: Contest): LaboratoryBench {
    const gpu = this.#gpu;
    const { subject } = contest as ModelContest;
    if (subject.kind !== 'attention') throw new Error('not an attention');
    const { phase, shape, kv, half, windows } = subject;
    const of = (candidate: string): { name: string; splitTokens: number } =>
      phase === 'decode' ? parseParts(candidate) : { name: candidate, splitTokens: 1 };
    // Contexts that end within a block and a tile, and in more parts than one; windows that begin so.
    const { most, ...tried } =
      phase === 'decode' ? { rows: 3, context: 332, most: 150 } : { rows: 37, context: 50, most: 29 };
    const check = (window: number | undefined, only?: readonly string[]): Promise<TunedEntry['dropped']> =>
      gpu.scoped(async () => {
        const test: AttentionCase = { phase, shape, kv, half, ...tried, window: window && Math.min(window, most) };
        const data = await attentionTrialData(gpu, test, 0);
        const sample = await attentionSample(gpu, data);
        const width = shape.heads * shape.headDim;
        const make = (candidate: string): Promise<Timed> => {
          const { name, splitTokens } = of(candidate);
          return attentionTrial(gpu, data, name, splitTokens);
        };
        const stride = paddedColumns(width);
        return this.#judge(contest, { make, out: data.out, half, rows: test.rows, width, stride, sample }, only);
      });
    return {
      check: async (only) => {
        const dropped = new Map<string, TunedEntry['dropped'][number]>();
        for (const window of windows) {
          for (const each of await check(window, only)) dropped.set(each.name, dropped.get(each.name) ?? each);
        }
        return [...dropped.values()];
      },
      time: (id, names, budgetMs) =>
        gpu.scoped(async () => {
          const [rows, context] = id.split(' after ').map(Number);
          const data = await gpu.checkedAllocation(contest.key, () =>
            attentionTrialData(gpu, { phase, shape, kv, half, rows, context, window: windows[0] }, this.#workingBytes),
          );
          const make = (candidate: string): Promise<Timed> => {
            const { name, splitTokens } = of(candidate);
            return attentionTrial(gpu, data, name, splitTokens);
          };
          return this.#time(names, make, budgetMs);
        }),
    };
  }

  async #time(names: readonly string[], make: (name: string) => Promise<Timed>, budgetMs: number): Promise<Samples> {
    const jobs = await Promise.all(names.map(make));
    const limits = { budgetMs, least: 5, most: 25, signal: this.#signal };
    const samples = await this.#stopwatch.rounds(jobs, limits);
    // A clock too coarse for a small launch reads 0.
    return Object.fromEntries(names.map((name, i) => [name, samples[i].map((each) => Math.max(1e-9, each))]));
  }

  /**
   * Runs each once over a result full of NaN. It must match float64 where that was computed, the first right one's
   * result everywhere, and in bits the first of its order.
   */
  async #judge(
    contest: Contest,
    { make, out, half = false, rows, width, stride, sample }: Trial,
    only?: readonly string[],
  ): Promise<TunedEntry['dropped']> {
    const dropped: TunedEntry['dropped'] = [];
    const { usual } = contest.cases[0];
    // The usual one first: it is what its order is measured by.
    const all = [usual, ...contest.candidates.map(({ name }) => name).filter((name) => name !== usual)];
    const names = all.filter((name) => only?.includes(name) ?? true);
    const made = await Promise.allSettled(names.map(make)); // compiles them side by side
    const orderOf = new Map(contest.candidates.map(({ name, order }) => [name, order]));
    const firsts = new Map<string | undefined, { name: string; bits: Uint32Array }>();
    let reference: Float32Array | undefined;
    for (const [i, name] of names.entries()) {
      this.#signal?.throwIfAborted();
      const drop = (reason: string): void => void dropped.push({ name, reason });
      const launch = made[i];
      if (launch.status === 'rejected') {
        drop((launch.reason as Error).message);
        continue;
      }
      let found: Float32Array<ArrayBuffer>;
      try {
        found = await this.#gpu.pipelines.during([this.kernelOf(contest, name)], () =>
          this.#run(launch.value, out, rows * stride, half),
        );
      } catch (error) {
        if (this.#gpu.lost) throw error;
        drop((error as Error).message);
        continue;
      }
      if (!this.#compares) continue;
      const dense = withoutGaps(found, rows, width, stride);
      const wrong = disagreement(pick(found, sample), sample.values) ?? (reference && disagreement(dense, reference));
      if (wrong !== undefined) {
        drop(wrong);
        continue;
      }
      reference ??= dense;
      const bits = new Uint32Array(dense.buffer);
      const first = firsts.get(orderOf.get(name));
      if (first === undefined) firsts.set(orderOf.get(name), { name, bits });
      else if (!bits.every((word, at) => word === first.bits[at])) {
        drop(`its sums are not in bits those of ${first.name}, whose order "${orderOf.get(name)}" it claims`);
      }
    }
    return dropped;
  }

  async #run(timed: Timed, out: GPUBuffer, numbers: number, half: boolean): Promise<Float32Array<ArrayBuffer>> {
    const gpu = this.#gpu;
    const unwritten = half ? new Uint16Array(numbers).fill(NOT_A_HALF) : new Float32Array(numbers).fill(NaN);
    gpu.queue.writeBuffer(out, 0, unwritten);
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    timed.record(pass, 0);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    const bytes = await gpu.read(out, 0, unwritten.byteLength);
    const found = half ? widened(new Uint16Array(bytes)) : new Float32Array(bytes);
    gpu.check();
    return found;
  }
}

const widened = (halves: Uint16Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(halves, (bits) => f32Value(f16ToF32(bits)));

/** The first `width` of each row's `stride` numbers. */
function withoutGaps(words: Float32Array, rows: number, width: number, stride: number): Float32Array<ArrayBuffer> {
  const dense = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) dense.set(words.subarray(row * stride, row * stride + width), row * width);
  return dense;
}
