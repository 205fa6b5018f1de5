import type { EngineHost } from '../src/engine/host.js';
import { Gpu } from '../src/gpu/gpu.js';
import { record } from '../src/gpu/recorder.js';
import { PACE_PARTS, type Pace, type PacePart, type PaceRatios } from '../src/roofline/hardware/pace.js';
import { DEFAULT_STATISTIC, represent, STATISTICS, type ReferencePace, type Statistic } from './compare/statistic.js';

/**
 * Fixed kernels, on a device of its own. On a GPU one for each thing that a step consists of: multiply-adds, bytes read
 * from memory, and launches that do nothing, each awaited by the next as a step's are. On a driver that runs on the
 * processor a product of matrices stands for all of them, since all that is taken away there is the cores' time: it keeps
 * step with prompts to 4 %, while multiply-adds alone feel only half of what another guest on the same core takes
 * (docs/performance.md). How long they take says nothing about a model, only about how much of the machine there is.
 */
const PRODUCT = { launches: 2, rows: 8, columns: 512, outputs: 512 };
const GPU = { groups: 4096, turns: 16, launches: 16, submissions: 4, readers: 8192, mib: 256 };
const EMPTY = { launches: 32, submissions: 4 };
/** Milliseconds between samples on a GPU at least: what they take is time that nothing is measured in. */
const EVERY_MS = 150;
/** And so many times as long as the last sample took, for drivers on which that is much. */
const REST = 8;
/**
 * Before and after what is measured on a processor: samples for this share of what was measured last, one at least and so
 * many at most. A run of seconds is one of many moments, which one sample does not tell.
 */
const SHARE = 0.04;
const MOST = 40;
const MIB = 1 << 20;

/** Milliseconds of each of the kernels that there are, one after the other. */
export type PaceSample = ByPart<number>;
type ByPart<T> = { readonly compute: T } & { readonly [Part in PacePart]?: T };

/** Where samples come from. */
interface PaceSource {
  readonly kernels: ByPart<string>;
  readonly sample: () => Promise<PaceSample>;
  readonly now: () => number;
  /** Whether each measurement has a sample before and after it. */
  readonly each: boolean;
}

/** As results keep it: what stands for all, or multiply-adds and beside them the others. */
export interface PaceRecord {
  readonly kernel: string;
  readonly samples_ms: number[];
  readonly memory?: { kernel: string; samples_ms: number[] };
  readonly launch?: { kernel: string; samples_ms: number[] };
}

/** Samples of a host's pace, taken between measurements. */
export class PaceLog {
  readonly samples: PaceSample[] = [];
  readonly kernels: ByPart<string>;
  /** When each was taken. */
  readonly #times: number[] = [];
  /** Milliseconds of what was measured last. */
  #length = 0;

  readonly #sample: () => Promise<PaceSample>;
  readonly #now: () => number;
  readonly #each: boolean;

  private constructor(
    { kernels, sample, now, each }: PaceSource,
    readonly close: () => Promise<void>,
  ) {
    this.kernels = kernels;
    this.#sample = sample;
    this.#now = now;
    this.#each = each;
  }

  /** @throws RidgepointError when the adapter cannot be opened once more */
  static async open(host: EngineHost, adapter: string | undefined): Promise<PaceLog> {
    const gpu = await Gpu.open(await host.openGpu(adapter));
    const { isCpu } = gpu.capabilities;
    const kernels = isCpu ? await productKernel(gpu) : await gpuKernels(gpu);
    const timed = async (run: (() => Promise<void>) | undefined): Promise<number> => {
      const began = performance.now();
      await run?.();
      return performance.now() - began;
    };
    const sample = async (): Promise<PaceSample> => {
      const taken = { compute: await timed(kernels.compute.run) };
      const { memory, launch } = kernels;
      const others = memory && launch && { memory: await timed(memory.run), launch: await timed(launch.run) };
      gpu.check();
      return { ...taken, ...others };
    };
    await sample(); // some drivers translate a shader at its first launch
    const names = Object.entries(kernels).map(([part, { name }]) => [part, name]);
    const source = { kernels: Object.fromEntries(names) as ByPart<string>, sample, now: () => performance.now() };
    return new PaceLog({ ...source, each: isCpu }, () => gpu.dispose());
  }

  /** For tests: samples and times from elsewhere. */
  static of(source: PaceSource): PaceLog {
    return new PaceLog(source, () => Promise.resolve());
  }

  /**
   * Takes samples before and after what is measured. On a driver that runs on the processor it always does, since what
   * there is of the machine may double within a second; elsewhere now and then.
   *
   * @returns milliseconds of the product while it was measured, where samples were taken for just this
   */
  readonly beside = async <Run>(
    measure: (onReady: () => Promise<void>) => Promise<Run>,
  ): Promise<{ run: Run; pace: number | undefined }> => {
    let start = this.#now();
    const run = await measure(async () => {
      await (this.#each ? this.#several() : this.#ifDue());
      start = this.#now();
    });
    const length = this.#now() - start;
    this.#length = length;
    if (!this.#each) return { run, pace: undefined };
    await this.#several();
    return { run, pace: this.#since(start - length) };
  };

  /** Takes a sample, however recent the last one is. */
  readonly take = async (): Promise<PaceSample> => {
    const taken = await this.#sample();
    this.samples.push(taken);
    this.#times.push(this.#now());
    return taken;
  };

  async #ifDue(): Promise<void> {
    const last = this.samples.at(-1);
    const took = last === undefined ? 0 : PACE_PARTS.reduce((sum, part) => sum + (last[part] ?? 0), 0);
    if (this.#now() - (this.#times.at(-1) ?? -Infinity) >= Math.max(EVERY_MS, REST * took)) await this.take();
  }

  /** As many samples as take a small share of what was measured last. */
  async #several(): Promise<void> {
    const began = this.#now();
    for (let at = 0; at < MOST; at++) {
      await this.take();
      if (this.#now() - began >= SHARE * this.#length) break;
    }
  }

  /** The pace at which work gets done over the samples since then: that of the mean of their speeds. */
  #since(time: number): number {
    const from = this.#times.findIndex((each) => each >= time);
    const found = this.samples.slice(from);
    return toMicroseconds(found.length / found.reduce((sum, { compute }) => sum + 1 / compute, 0));
  }

  /** What was sampled, to the microsecond; undefined before the first. */
  record(): PaceRecord | undefined {
    if (this.samples.length === 0) return undefined;
    const of = (part: PacePart) => ({
      kernel: this.kernels[part]!,
      samples_ms: this.samples.map((each) => toMicroseconds(each[part]!)),
    });
    return {
      ...of('compute'),
      ...(this.kernels.memory !== undefined && { memory: of('memory') }),
      ...(this.kernels.launch !== undefined && { launch: of('launch') }),
    };
  }
}

export const toMicroseconds = (ms: number): number => Math.round(1000 * ms) / 1000;

/** A fixed kernel: what it is, and how to run it once. */
interface PaceKernel {
  readonly name: string;
  readonly run: () => Promise<void>;
}

/** Submits passes, each awaited by the next. */
async function submitted(gpu: Gpu, times: number, fill: (pass: GPUComputePassEncoder) => void): Promise<void> {
  for (let at = 0; at < times; at++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    fill(pass);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
  }
}

async function productKernel(gpu: Gpu): Promise<ByPart<PaceKernel>> {
  const { launches, rows, columns, outputs } = PRODUCT;
  const pipeline = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_product.wgsl',
    bindings: 'urrw',
    defines: {},
  });
  const bindGroup = gpu.bindGroup(pipeline, 'pace', [
    gpu.uniform('pace sizes', Uint32Array.of(columns, outputs, 0, 0)),
    gpu.storage('pace weights', 4 * columns * outputs),
    gpu.storage('pace rows', 4 * rows * columns),
    gpu.storage('pace outputs', 4 * rows * outputs),
  ]);
  const run = () =>
    submitted(gpu, 1, (pass) => {
      for (let at = 0; at < launches; at++) record(pass, { pipeline, bindGroup }, outputs / 64);
    });
  return { compute: { name: `product ${launches} x ${rows} x ${columns} x ${outputs}`, run } };
}

async function gpuKernels(gpu: Gpu): Promise<ByPart<PaceKernel>> {
  const { groups, turns, launches, submissions, readers, mib } = GPU;
  const sink = gpu.storage('pace sink', 16);
  const fma = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_fma.wgsl',
    bindings: 'uw',
    defines: { half: false, fused: false },
  });
  const fmaGroup = gpu.bindGroup(fma, 'pace', [gpu.uniform('pace turns', Uint32Array.of(turns, 0, 0, 0)), sink]);
  const { maxBindingBytes, maxBufferBytes } = gpu.capabilities;
  const bytes = Math.floor(Math.min(mib * MIB, maxBindingBytes, maxBufferBytes) / 1024) * 1024;
  const read = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_memory.wgsl',
    bindings: 'urw',
    defines: { copies: false, SPAN: 1 },
  });
  const extent = gpu.uniform('pace extent', Uint32Array.of(bytes / 16, readers * 64, 0, 0));
  const readGroup = gpu.bindGroup(read, 'pace', [extent, gpu.storage('pace source', bytes), sink]);
  const empty = await gpu.pipelines.get({ shader: 'calibrate/calibrate_empty.wgsl', bindings: 'w', defines: {} });
  const emptyGroup = gpu.bindGroup(empty, 'pace', [sink]);
  return {
    compute: {
      name: `fma ${submissions} x ${launches} x ${groups} x ${turns}`,
      run: () =>
        submitted(gpu, submissions, (pass) => {
          for (let at = 0; at < launches; at++) record(pass, { pipeline: fma, bindGroup: fmaGroup }, groups);
        }),
    },
    memory: {
      name: `read ${bytes} x ${readers} x 1`,
      run: () => submitted(gpu, 1, (pass) => record(pass, { pipeline: read, bindGroup: readGroup }, readers)),
    },
    launch: {
      name: `empty ${EMPTY.submissions} x ${EMPTY.launches}`,
      run: () =>
        submitted(gpu, EMPTY.submissions, (pass) => {
          for (let at = 0; at < EMPTY.launches; at++) record(pass, { pipeline: empty, bindGroup: emptyGroup }, 1);
        }),
    },
  };
}

/** Samples of both, where they are of the same kernels. */
export function joinedPace(earlier: PaceRecord | undefined, later: PaceRecord | undefined): PaceRecord | undefined {
  if (earlier === undefined || later === undefined) return later ?? earlier;
  const of = (part: PacePart) => {
    const [one, other] = [partOf(earlier, part), partOf(later, part)];
    if (one === undefined || other === undefined || one.kernel !== other.kernel) return other;
    return { kernel: other.kernel, samples_ms: [...one.samples_ms, ...other.samples_ms] };
  };
  const [compute, memory, launch] = PACE_PARTS.map(of);
  return { ...compute!, ...(memory && { memory }), ...(launch && { launch }) };
}

const partOf = <Of>(pace: { readonly kernel: string; readonly memory?: Of; readonly launch?: Of }, part: PacePart) =>
  part === 'compute' ? (pace as unknown as Of) : pace[part];

/**
 * The pace that a calibration's measurements are brought to. The middle one, so that most are brought no great way: how
 * much longer a step takes than the product differs with what the other guests do.
 */
export const referenceMs = (samples: readonly number[]): number => represent(samples, 'median');

/** As calibrations keep it: what stands for the samples. @param reference what measurements were brought to, if so */
export function paceOf(taken: PaceRecord | undefined, reference?: ReferencePace): Pace | undefined {
  if (taken === undefined || taken.samples_ms.length === 0) return undefined;
  const of = ({ kernel, samples_ms }: { kernel: string; samples_ms: readonly number[] }) => ({
    kernel,
    ms: Object.fromEntries(STATISTICS.map((each) => [each, represent(samples_ms, each)])) as Record<Statistic, number>,
  });
  const { memory, launch } = taken;
  return {
    ...of(taken),
    ...(memory && { memory: of(memory) }),
    ...(launch && { launch: of(launch) }),
    ...(reference !== undefined && { reference }),
  };
}

/**
 * How many times as long the fixed kernels took as when the machine was calibrated; undefined where either does not say,
 * or another kernel was timed. Where only multiply-adds were timed on both sides, they stand for all.
 */
export function paceRatios(
  now: PaceRecord | undefined,
  calibrated: Pace | undefined,
  statistic: Statistic = DEFAULT_STATISTIC,
): PaceRatios | undefined {
  if (now === undefined || calibrated === undefined) return undefined;
  const ratio = (part: PacePart): number | undefined => {
    const [taken, then] = [partOf(now, part), partOf(calibrated, part)];
    if (taken === undefined || taken.kernel !== then?.kernel || taken.samples_ms.length === 0) return undefined;
    return represent(taken.samples_ms, statistic) / then.ms[statistic];
  };
  const compute = calibrated.reference === undefined ? ratio('compute') : ratioToReference(now, calibrated);
  if (compute === undefined) return undefined;
  return { compute, memory: ratio('memory') ?? compute, launch: ratio('launch') ?? compute };
}

/** The pace beside each measurement that was set beside one. */
function ratioToReference(now: PaceRecord, { kernel, reference }: Pace): number | undefined {
  if (now.kernel !== kernel || now.samples_ms.length === 0) return undefined;
  return represent(now.samples_ms, 'median') / reference!.referenceMs;
}
