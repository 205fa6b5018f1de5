import type { EngineHost } from '../src/engine/host.js';
import { Gpu } from '../src/gpu/gpu.js';
import { record } from '../src/gpu/recorder.js';
import { PACE_PARTS, type Pace, type PacePart, type PaceRatios } from '../src/roofline/hardware/pace.js';
import { DEFAULT_STATISTIC, represent, STATISTICS, type Statistic } from './compare/statistic.js';

/**
 * Fixed kernels, on a device of its own, one for each thing that a step consists of: multiply-adds, bytes read from
 * memory, and launches that do nothing, each awaited by the next as a step's are. How long they take says nothing about
 * a model, only about how much of the machine there is at the moment.
 */
const CPU = { groups: 64, turns: 16, launches: 16, submissions: 4, readers: 256, mib: 32 };
const GPU = { groups: 4096, turns: 16, launches: 16, submissions: 4, readers: 8192, mib: 256 };
const EMPTY = { launches: 32, submissions: 4 };
/** Milliseconds between samples at least: what they take is time that nothing is measured in. */
const EVERY_MS = 150;
/** And so many times as long as the last sample took, for drivers on which that is much. */
const REST = 8;
const MIB = 1 << 20;

/** Milliseconds of each of the kernels, one after the other. */
export type PaceSample = Readonly<Record<PacePart, number>>;
type Kernels = Readonly<Record<PacePart, string>>;

/** As results keep it. The first part stands where there was only one in older files. */
export interface PaceRecord {
  readonly kernel: string;
  readonly samples_ms: number[];
  readonly memory?: { kernel: string; samples_ms: number[] };
  readonly launch?: { kernel: string; samples_ms: number[] };
}

/** Samples of a host's pace, taken between measurements. */
export class PaceLog {
  readonly samples: PaceSample[] = [];
  #last = -Infinity;

  readonly #sample: () => Promise<PaceSample>;
  readonly #now: () => number;

  private constructor(
    readonly kernels: Kernels,
    sample: () => Promise<PaceSample>,
    now: () => number,
    readonly close: () => Promise<void>,
  ) {
    this.#sample = sample;
    this.#now = now;
  }

  /** @throws RidgepointError when the adapter cannot be opened once more */
  static async open(host: EngineHost, adapter: string | undefined): Promise<PaceLog> {
    const gpu = await Gpu.open(await host.openGpu(adapter));
    const { kernels, run } = await paceKernels(gpu);
    const sample = async (): Promise<PaceSample> => {
      const taken = { compute: 0, memory: 0, launch: 0 };
      for (const part of PACE_PARTS) {
        const began = performance.now();
        await run[part]();
        taken[part] = performance.now() - began;
      }
      gpu.check();
      return taken;
    };
    await sample(); // some drivers translate a shader at its first launch
    return new PaceLog(
      kernels,
      sample,
      () => performance.now(),
      () => gpu.dispose(),
    );
  }

  /** For tests: samples and times from elsewhere. */
  static of(kernels: Kernels, sample: () => Promise<PaceSample>, now: () => number): PaceLog {
    return new PaceLog(kernels, sample, now, () => Promise.resolve());
  }

  /** Takes a sample, unless the last one is too recent. */
  readonly between = async (): Promise<void> => {
    const last = this.samples.at(-1);
    const took = last === undefined ? 0 : PACE_PARTS.reduce((sum, part) => sum + last[part], 0);
    if (this.#now() - this.#last >= Math.max(EVERY_MS, REST * took)) await this.take();
  };

  /** Takes a sample, however recent the last one is. */
  readonly take = async (): Promise<PaceSample> => {
    const taken = await this.#sample();
    this.samples.push(taken);
    this.#last = this.#now();
    return taken;
  };

  /** What was sampled, to the microsecond; undefined before the first. */
  record(): PaceRecord | undefined {
    if (this.samples.length === 0) return undefined;
    const of = (part: PacePart) => ({
      kernel: this.kernels[part],
      samples_ms: this.samples.map((each) => Math.round(1000 * each[part]) / 1000),
    });
    return { ...of('compute'), memory: of('memory'), launch: of('launch') };
  }
}

async function paceKernels(gpu: Gpu): Promise<{ kernels: Kernels; run: Record<PacePart, () => Promise<void>> }> {
  const { groups, turns, launches, submissions, readers, mib } = gpu.capabilities.isCpu ? CPU : GPU;
  const sink = gpu.storage('pace sink', 16);
  const submitted = async (times: number, fill: (pass: GPUComputePassEncoder) => void): Promise<void> => {
    for (let at = 0; at < times; at++) {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      fill(pass);
      pass.end();
      gpu.queue.submit([encoder.finish()]);
      await gpu.queue.onSubmittedWorkDone();
    }
  };
  const fma = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_fma.wgsl',
    bindings: 'uw',
    defines: { half: false, fused: false },
  });
  const fmaGroup = gpu.bindGroup(fma, 'pace', [gpu.uniform('pace turns', Uint32Array.of(turns, 0, 0, 0)), sink]);
  const { maxBindingBytes, maxBufferBytes } = gpu.capabilities;
  const bytes = Math.floor(Math.min(mib * MIB, maxBindingBytes, maxBufferBytes) / 1024) * 1024;
  const span = gpu.capabilities.isCpu ? 16 : 1;
  const read = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_memory.wgsl',
    bindings: 'urw',
    defines: { copies: false, SPAN: span },
  });
  const extent = gpu.uniform('pace extent', Uint32Array.of(bytes / 16, readers * 64, 0, 0));
  const readGroup = gpu.bindGroup(read, 'pace', [extent, gpu.storage('pace source', bytes), sink]);
  const empty = await gpu.pipelines.get({ shader: 'calibrate/calibrate_empty.wgsl', bindings: 'w', defines: {} });
  const emptyGroup = gpu.bindGroup(empty, 'pace', [sink]);
  return {
    kernels: {
      compute: `fma ${submissions} x ${launches} x ${groups} x ${turns}`,
      memory: `read ${bytes} x ${readers} x ${span}`,
      launch: `empty ${EMPTY.submissions} x ${EMPTY.launches}`,
    },
    run: {
      compute: () =>
        submitted(submissions, (pass) => {
          for (let at = 0; at < launches; at++) record(pass, { pipeline: fma, bindGroup: fmaGroup }, groups);
        }),
      memory: () => submitted(1, (pass) => record(pass, { pipeline: read, bindGroup: readGroup }, readers)),
      launch: () =>
        submitted(EMPTY.submissions, (pass) => {
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

/** As calibrations keep it: what stands for the samples. */
export function paceOf(taken: PaceRecord | undefined): Pace | undefined {
  if (taken === undefined || taken.samples_ms.length === 0) return undefined;
  const of = ({ kernel, samples_ms }: { kernel: string; samples_ms: readonly number[] }) => ({
    kernel,
    ms: Object.fromEntries(STATISTICS.map((each) => [each, represent(samples_ms, each)])) as Record<Statistic, number>,
  });
  const { memory, launch } = taken;
  return { ...of(taken), ...(memory && { memory: of(memory) }), ...(launch && { launch: of(launch) }) };
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
  const compute = ratio('compute');
  if (compute === undefined) return undefined;
  return { compute, memory: ratio('memory') ?? compute, launch: ratio('launch') ?? compute };
}
