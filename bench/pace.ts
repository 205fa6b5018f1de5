import type { EngineHost } from '../src/engine/host.js';
import { Gpu } from '../src/gpu/gpu.js';
import { record } from '../src/gpu/recorder.js';
import { Profiler } from '../src/gpu/profiler.js';
import { PACE_PARTS, type Pace, type PacePart, type PaceRatios } from '../src/roofline/hardware/pace.js';
import { DEFAULT_STATISTIC, represent, STATISTICS, type ReferencePace, type Statistic } from './compare/statistic.js';

/**
 * Fixed kernels, on a device of its own: one for each thing that a step consists of. On a GPU multiply-adds, bytes read
 * from memory, and launches that do nothing, each awaited by the next as a step's are.
 *
 * On a driver that runs on the processor all that is taken away is the cores' time, but what another guest does on them
 * slows one kind of code more than another: so a product of eight rows, which multiplies; one of a single row in f16, which
 * loads and unpacks; and many small ones, which wait for threads to wake. They are timed by the driver's own stamps, since
 * the host looks but once a millisecond whether they are done.
 *
 * How long they take says nothing about a model, only about how much of the machine there is.
 */
const PRODUCT = { launches: 2, columns: 512, outputs: 512, rows: 8 };
const VECTOR = { launches: 2, columns: 512, outputs: 2048, rows: 1 };
const SMALL = { launches: 64, columns: 4, outputs: 128, rows: 1 };
const GPU = { groups: 4096, turns: 16, launches: 16, submissions: 4, readers: 8192, mib: 256 };
const EMPTY = { launches: 32, submissions: 4 };
/** Milliseconds between samples on a GPU at least: what they take is time that nothing is measured in. */
const EVERY_MS = 150;
/** And so many times as long as the last sample took, for drivers on which that is much. */
const REST = 8;
/**
 * Before and after what is measured on a processor: samples for this share of what was measured last, so many at least and
 * at most. A run of seconds is one of many moments, which one sample does not tell.
 */
const SHARE = 0.04;
const [LEAST, MOST] = [2, 40];
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

/** Milliseconds of the kernels while something was measured. */
export type PaceBeside = Readonly<Record<PacePart, number>>;

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
    const kernels = isCpu ? await cpuKernels(gpu) : await gpuKernels(gpu);
    const sample = async (): Promise<PaceSample> => {
      const taken = await kernels.sample();
      gpu.check();
      return taken;
    };
    await sample(); // some drivers translate a shader at its first launch
    const source = { kernels: kernels.names, sample, now: () => performance.now(), each: isCpu };
    return new PaceLog(source, () => gpu.dispose());
  }

  /** For tests: samples and times from elsewhere. */
  static of(source: PaceSource): PaceLog {
    return new PaceLog(source, () => Promise.resolve());
  }

  /**
   * Takes samples before and after what is measured. On a driver that runs on the processor it always does, since what
   * there is of the machine may double within a second; elsewhere now and then.
   *
   * @returns milliseconds of the kernels while it was measured, where samples were taken for just this
   */
  readonly beside = async <Run>(
    measure: (onReady: () => Promise<void>) => Promise<Run>,
  ): Promise<{ run: Run; pace: PaceBeside | undefined }> => {
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
      if (at + 1 >= LEAST && this.#now() - began >= SHARE * this.#length) break;
    }
  }

  /** The pace at which work gets done over the samples since then: that of the mean of their speeds. */
  #since(time: number): PaceBeside {
    const from = this.#times.findIndex((each) => each >= time);
    const found = this.samples.slice(from);
    const middle = (part: PacePart): number => {
      // What is not timed by itself is taken to be as slow as the rest.
      const speeds = found.reduce((sum, each) => sum + 1 / (each[part] ?? each.compute), 0);
      return toMicroseconds(found.length / speeds);
    };
    return { compute: middle('compute'), memory: middle('memory'), launch: middle('launch') };
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

/** Fixed kernels: what they are, and how many milliseconds each takes now. */
interface PaceKernels {
  readonly names: ByPart<string>;
  readonly sample: () => Promise<PaceSample>;
}

type Fill = (pass: GPUComputePassEncoder) => void;

/** Milliseconds until passes are done, by the host's clock, each submitted when the one before is. */
async function submitted(gpu: Gpu, times: number, fill: Fill): Promise<number> {
  const began = performance.now();
  for (let at = 0; at < times; at++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    fill(pass);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
  }
  return performance.now() - began;
}

async function cpuKernels(gpu: Gpu): Promise<PaceKernels> {
  const { timestamps } = gpu.capabilities;
  const kernel = async (
    shader: 'calibrate/calibrate_product.wgsl' | 'calibrate/calibrate_vector.wgsl',
    { launches, columns, outputs, rows }: typeof PRODUCT,
  ): Promise<{ name: string; fill: Fill }> => {
    const pipeline = await gpu.pipelines.get({ shader, bindings: 'urrw', defines: {} });
    const bindGroup = gpu.bindGroup(pipeline, 'pace', [
      gpu.uniform('pace sizes', Uint32Array.of(columns, outputs, 0, 0)),
      gpu.storage('pace weights', 4 * columns * outputs),
      gpu.storage('pace rows', 4 * rows * columns),
      gpu.storage('pace outputs', 4 * rows * outputs),
    ]);
    return {
      name: `product ${launches} x ${rows} x ${columns} x ${outputs}${timestamps ? '' : ' by the clock'}`,
      fill: (pass) => {
        for (let at = 0; at < launches; at++) record(pass, { pipeline, bindGroup }, outputs / 64);
      },
    };
  };
  const kernels = {
    compute: await kernel('calibrate/calibrate_product.wgsl', PRODUCT),
    memory: await kernel('calibrate/calibrate_vector.wgsl', VECTOR),
    launch: await kernel('calibrate/calibrate_vector.wgsl', SMALL),
  };
  const names = { compute: kernels.compute.name, memory: kernels.memory.name, launch: kernels.launch.name };
  if (!timestamps) return { names, sample: () => each((part) => submitted(gpu, 1, kernels[part].fill)) };
  const profiler = new Profiler(gpu, PACE_PARTS.length);
  const sample = async (): Promise<PaceSample> => {
    const encoder = gpu.device.createCommandEncoder();
    for (const part of PACE_PARTS) {
      const pass = profiler.begin(encoder, part);
      kernels[part].fill(pass);
      pass.end();
    }
    profiler.finish(encoder);
    gpu.queue.submit([encoder.finish()]);
    const times = await profiler.read();
    return each((_, at) => Promise.resolve((times[at].endNs - times[at].beginNs) / 1e6));
  };
  return { names, sample };
}

/** A number for each part, one after the other. */
async function each(of: (part: PacePart, at: number) => Promise<number>): Promise<Record<PacePart, number>> {
  const found = { compute: 0, memory: 0, launch: 0 };
  for (const [at, part] of PACE_PARTS.entries()) found[part] = await of(part, at);
  return found;
}

async function gpuKernels(gpu: Gpu): Promise<PaceKernels> {
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
  const times = {
    compute: () =>
      submitted(gpu, submissions, (pass) => {
        for (let at = 0; at < launches; at++) record(pass, { pipeline: fma, bindGroup: fmaGroup }, groups);
      }),
    memory: () => submitted(gpu, 1, (pass) => record(pass, { pipeline: read, bindGroup: readGroup }, readers)),
    launch: () =>
      submitted(gpu, EMPTY.submissions, (pass) => {
        for (let at = 0; at < EMPTY.launches; at++) record(pass, { pipeline: empty, bindGroup: emptyGroup }, 1);
      }),
  };
  return {
    names: {
      compute: `fma ${submissions} x ${launches} x ${groups} x ${turns}`,
      memory: `read ${bytes} x ${readers} x 1`,
      launch: `empty ${EMPTY.submissions} x ${EMPTY.launches}`,
    },
    sample: () => each((part) => times[part]()),
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
 * much longer a step takes than the kernels differs with what the other guests do. Undefined where one is missing.
 */
export function middlePace(taken: PaceRecord): ReferencePace['ms'] | undefined {
  const samples = PACE_PARTS.map((part) => partOf(taken, part)?.samples_ms ?? []);
  if (samples.some((list) => list.length === 0)) return undefined;
  const [compute, memory, launch] = samples.map((list) => represent(list, 'median'));
  return { compute, memory, launch };
}

/** Whether both are of the same kernels. */
export const sameKernels = (now: PaceRecord, calibrated: Pace): boolean =>
  PACE_PARTS.every((part) => partOf(now, part)?.kernel === partOf(calibrated, part)?.kernel);

/** As calibrations keep it: what stands for the samples. @param broughtTo what measurements were brought to, if so */
export function paceOf(taken: PaceRecord | undefined, broughtTo?: ReferencePace): Pace | undefined {
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
    ...(broughtTo !== undefined && { broughtTo }),
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
  const { broughtTo } = calibrated;
  const ratio = (part: PacePart): number | undefined => {
    const [taken, then] = [partOf(now, part), partOf(calibrated, part)];
    if (taken === undefined || taken.kernel !== then?.kernel || taken.samples_ms.length === 0) return undefined;
    // Where each measurement was set beside a pace, the middle ones are what was brought to one.
    return broughtTo === undefined
      ? represent(taken.samples_ms, statistic) / then.ms[statistic]
      : represent(taken.samples_ms, 'median') / broughtTo.ms[part];
  };
  const compute = ratio('compute');
  if (compute === undefined) return undefined;
  return { compute, memory: ratio('memory') ?? compute, launch: ratio('launch') ?? compute };
}
