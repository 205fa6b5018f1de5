import type { Gpu } from '../../src/gpu/gpu.js';
import { Profiler } from '../../src/gpu/profiler.js';
import { record } from '../../src/gpu/recorder.js';
import type { Stopwatch } from '../../src/gpu/stopwatch.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { clockTick, timesForClock } from './clock.js';
import { inRounds, longEnough, summariseTimings, type TimedRun, type CeilingTiming } from './timing.js';

type Ceilings = Calibration['ceilings'];

/** One way to reach a ceiling; of several under the same figure the fastest counts, for a ceiling is what can be done. */
export interface Ceiling extends TimedRun {
  readonly figure: string;
  /** Bytes or FLOPs of a run. */
  readonly work: number;
}

const MIB = 1 << 20;

/**
 * Bytes read from memory that no cache holds, and bytes moved (read and written) by a copy. The working set is several
 * times the last-level cache: up to 512 MiB on a GPU, 128 MiB on a driver that runs on the CPU.
 */
export async function memoryCeilings(gpu: Gpu, clock: Stopwatch): Promise<Ceiling[]> {
  const { maxBindingBytes, maxBufferBytes, isCpu } = gpu.capabilities;
  const limit = Math.min(maxBindingBytes, maxBufferBytes, (isCpu ? 128 : 512) * MIB);
  const bytes = Math.floor(limit / 1024) * 1024;
  const source = gpu.storage('calibration source', bytes);
  const target = gpu.storage('calibration target', bytes);
  const repeats = isCpu ? 1 : 8;
  const ceilings: Ceiling[] = [];
  for (const kind of ['read', 'copy'] as const) {
    for (const span of isCpu ? [1, 16] : [1, 4, 16]) {
      const pipeline = await gpu.pipelines.get({
        shader: 'calibrate/calibrate_memory.wgsl',
        bindings: 'urw',
        defines: { copies: kind === 'copy', SPAN: span },
      });
      for (const groups of isCpu ? [256] : [1024, 8192]) {
        const params = gpu.uniform('memory params', Uint32Array.of(bytes / 16, groups * 64, 0, 0));
        const bindGroup = gpu.bindGroup(pipeline, 'memory', [params, source, target]);
        ceilings.push({
          name: `memory ${kind}, ${span * 16} bytes a thread`,
          figure: `${kind}BytesPerSecond`,
          work: repeats * bytes * (kind === 'copy' ? 2 : 1),
          run: () => clock.time({ record: (pass) => record(pass, { pipeline, bindGroup }, groups) }, repeats),
        });
      }
    }
  }
  return ceilings;
}

/** As calibrate_fma.wgsl has them: steps a round, chains of vec4 a thread. */
const FMA_STEPS = 8;
const FMA_CHAINS = 4;

/** Sums a thread has in calibrate_dot.wgsl. */
const DOT_SUMS = 16;

/** Multiply-adds, counted as two operations, on the shader cores. */
export async function fmaCeilings(gpu: Gpu, clock: Stopwatch, type: 'f32' | 'f16'): Promise<Ceiling[]> {
  if (type === 'f16' && !gpu.capabilities.f16) return [];
  const sink = gpu.storage('calibration sink', 16);
  const groups = gpu.capabilities.isCpu ? 256 : 16384;
  const ceilings: Ceiling[] = [];
  // Drivers without the instruction make a slow function of `fma`; others need it to fuse at all.
  for (const fused of [true, false]) {
    const pipeline = await gpu.pipelines.get({
      shader: 'calibrate/calibrate_fma.wgsl',
      bindings: 'uw',
      defines: { half: type === 'f16', fused },
    });
    const { value: run, turns } = await longEnough(4, (turns) => {
      const params = gpu.uniform('fma params', Uint32Array.of(turns, 0, 0, 0));
      const bindGroup = gpu.bindGroup(pipeline, 'fma', [params, sink]);
      const seconds = () => clock.time({ record: (pass) => record(pass, { pipeline, bindGroup }, groups) }, 1);
      return { value: seconds, seconds, free: () => gpu.free(params) };
    });
    ceilings.push({
      name: `${type} multiply-adds${fused ? ', fused' : ''}`,
      figure: `${type}FlopsPerSecond`,
      work: groups * 64 * turns * FMA_STEPS * FMA_CHAINS * 4 * 2,
      run,
    });
  }
  return ceilings;
}

/** Packed dot products of 8-bit integers on the shader cores, each four multiply-adds. */
export async function dotCeilings(gpu: Gpu, clock: Stopwatch): Promise<Ceiling[]> {
  if (!gpu.capabilities.packedDot) return [];
  const sink = gpu.storage('calibration sink', 16);
  const groups = gpu.capabilities.isCpu ? 256 : 16384;
  // A CPU driver spells products out, and its compiler would take what the steps of a round share out of their sum.
  const steps = gpu.capabilities.isCpu ? 1 : 8;
  const pipeline = await gpu.pipelines.get({
    shader: 'calibrate/calibrate_dot.wgsl',
    bindings: 'uw',
    defines: { STEPS: steps },
  });
  const { value: run, turns } = await longEnough(4, (turns) => {
    const params = gpu.uniform('dot params', Uint32Array.of(turns, 0, 0, 0));
    const bindGroup = gpu.bindGroup(pipeline, 'dot', [params, sink]);
    const seconds = () => clock.time({ record: (pass) => record(pass, { pipeline, bindGroup }, groups) }, 1);
    return { value: seconds, seconds, free: () => gpu.free(params) };
  });
  const work = groups * 64 * turns * steps * DOT_SUMS * 4 * 2;
  return [{ name: 'packed dot products', figure: 'int8OpsPerSecond', work, run }];
}

/** The best rate of each figure, and the spread of the way that reached it. */
export async function rates(
  ceilings: readonly Ceiling[],
  onProgress?: (name: string) => void,
): Promise<Map<string, { rate: number; spread: number }>> {
  const best = new Map<string, { rate: number; spread: number }>();
  const timings = await inRounds(ceilings, { onProgress });
  for (const ceiling of ceilings) {
    const timing = timings.get(ceiling)!;
    const rate = ceiling.work / timing.best;
    if (rate > (best.get(ceiling.figure)?.rate ?? 0)) best.set(ceiling.figure, { rate, spread: timing.spread });
  }
  return best;
}

const FEW = 64;
const MANY = 1088;
/** Launches recorded in one go; passes of a profiled submission. */
const RECORDED = 1000;
/** And so many times as many at most, for clocks that tell little. */
const MOST_RECORDINGS = 32;
const PASSES = 40;

/** What a launch, its recording, a submission with a readback, and timing an operation by itself cost. */
export async function launchCosts(
  gpu: Gpu,
  clock: Stopwatch,
  spread: Record<string, number>,
): Promise<
  Pick<Ceilings, 'dispatchSeconds' | 'recordSeconds' | 'roundTripSeconds'> & Pick<Calibration, 'profiledSeconds'>
> {
  const sink = gpu.storage('calibration sink', 16);
  const staging = gpu.buffer('calibration readback', 16, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const pipeline = await gpu.pipelines.get({ shader: 'calibrate/calibrate_empty.wgsl', bindings: 'w', defines: {} });
  const bindGroup = gpu.bindGroup(pipeline, 'empty', [sink]);
  const launch = (pass: GPUComputePassEncoder): void => record(pass, { pipeline, bindGroup }, 1);
  const launches = (count: number) => (pass: GPUComputePassEncoder) => {
    for (let i = 0; i < count; i++) launch(pass);
  };
  const submitted = (name: string, count: number): TimedRun => ({
    name,
    run: () => clock.time({ record: launch }, count),
  });
  const few = submitted('few launches', FEW);
  const many = submitted('many launches', MANY);
  const recordedIn = async (count: number): Promise<number> => {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const start = performance.now();
    launches(count)(pass);
    const seconds = (performance.now() - start) / 1000;
    pass.end();
    gpu.queue.submit([encoder.finish()]);
    await gpu.queue.onSubmittedWorkDone();
    return seconds;
  };
  // A browser's clock may tell milliseconds only.
  const tick = clockTick();
  // A first recording is slow, and by it a clock would seem finer than it is for those that follow.
  const first = await recordedIn(RECORDED);
  const warm = Math.min(first, await recordedIn(RECORDED), await recordedIn(RECORDED));
  const times = timesForClock(warm, tick, MOST_RECORDINGS);
  const recording: TimedRun = { name: 'recording', run: async () => (await recordedIn(times * RECORDED)) / times };
  const trip: TimedRun = {
    name: 'readback',
    async run() {
      const encoder = gpu.device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      launches(1)(pass);
      pass.end();
      encoder.copyBufferToBuffer(sink, 0, staging, 0, 16);
      const start = performance.now();
      gpu.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const seconds = (performance.now() - start) / 1000;
      staging.unmap();
      return seconds;
    },
  };
  const profiler = gpu.capabilities.timestamps ? new Profiler(gpu, PASSES) : undefined;
  const profiled: TimedRun = {
    name: 'timed launches',
    async run() {
      const encoder = gpu.device.createCommandEncoder();
      for (let i = 0; i < PASSES; i++) {
        const pass = profiler!.begin(encoder, 'empty');
        launches(1)(pass);
        pass.end();
      }
      profiler!.finish(encoder);
      gpu.queue.submit([encoder.finish()]);
      const times = (await profiler!.read()).map(({ beginNs, endNs }) => (endNs - beginNs) / 1e9);
      return summariseTimings(times).median;
    },
  };
  const list = [few, many, recording, trip, ...(profiler === undefined ? [] : [profiled])];
  const timings = await inRounds(list, { least: 15, most: 60, budgetMs: 1500 });
  profiler?.destroy();
  // Stable browsers round timestamps: where a launch takes no time, no operation can be timed by itself.
  const stamped = profiler !== undefined && timings.get(profiled)!.median > 0;
  gpu.free(staging);
  gpu.free(sink);
  const of = (timed: TimedRun, figure?: string): CeilingTiming => {
    const timing = timings.get(timed)!;
    if (figure !== undefined) spread[figure] = timing.spread;
    return timing;
  };
  // The slope between few and many launches, which leaves the pass itself out.
  const dispatchSeconds = Math.max(1e-9, (of(many, 'dispatchSeconds').median - of(few).median) / (MANY - FEW));
  return {
    dispatchSeconds,
    // A clock that stood still all the while says less than nothing: below one tick is all that is known.
    recordSeconds: Math.max(of(recording, 'recordSeconds').median, tick / times) / RECORDED,
    roundTripSeconds: of(trip, 'roundTripSeconds').median,
    ...(stamped ? { profiledSeconds: Math.max(0, of(profiled, 'profiledSeconds').median - dispatchSeconds) } : {}),
  };
}
