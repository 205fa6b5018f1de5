import type { Gpu } from '../../src/gpu/gpu.js';
import { record } from '../../src/gpu/recorder.js';
import type { Calibration } from '../../src/roofline/calibration.js';
import { timeRepeatedly, timeSubmission, summarise, type Timing } from './timing.js';

type Ceilings = Calibration['ceilings'];

/** Tells what is being measured; the spread of each figure is collected under its name. */
export interface Measuring {
  readonly onProgress?: (what: string) => void;
  readonly spread: Record<string, number>;
}

const MIB = 1 << 20;

/**
 * Bytes read a second from memory that no cache holds, and bytes moved (read and written) a second by a copy. The
 * working set is several times the last-level cache: up to 512 MiB on a GPU, 128 MiB on a driver that runs on the CPU.
 * Of the access patterns tried the fastest counts, since a ceiling is what the hardware can do.
 */
export async function memoryCeilings(
  gpu: Gpu,
  measuring: Measuring,
): Promise<Pick<Ceilings, 'readBytesPerSecond' | 'copyBytesPerSecond'>> {
  const { maxBindingBytes, maxBufferBytes, isCpu } = gpu.capabilities;
  const limit = Math.min(maxBindingBytes, maxBufferBytes, (isCpu ? 128 : 512) * MIB);
  const bytes = Math.floor(limit / 1024) * 1024;
  const source = gpu.storage('calibration source', bytes);
  const target = gpu.storage('calibration target', bytes);
  const best: { read: Timing | undefined; copy: Timing | undefined } = { read: undefined, copy: undefined };
  for (const kind of ['read', 'copy'] as const) {
    for (const span of isCpu ? [1, 16] : [1, 4, 16]) {
      measuring.onProgress?.(`memory ${kind}, ${span * 16} bytes a thread`);
      const pipeline = await gpu.pipelines.get({
        shader: 'calibrate_memory.wgsl',
        bindings: 'urw',
        defines: { copies: kind === 'copy', SPAN: span },
      });
      for (const groups of isCpu ? [256] : [1024, 8192]) {
        const params = gpu.uniform('memory params', Uint32Array.of(bytes / 16, groups * 64, 0, 0));
        const bindGroup = gpu.bindGroup(pipeline, 'memory', [params, source, target]);
        const repeats = isCpu ? 1 : 8;
        const timing = await timeRepeatedly(
          gpu,
          (pass) => {
            for (let i = 0; i < repeats; i++) record(pass, pipeline, bindGroup, groups);
          },
          { least: 5, budgetMs: isCpu ? 800 : 250 },
        );
        gpu.free(params);
        const per = { ...timing, best: timing.best / repeats, median: timing.median / repeats };
        const sofar = best[kind];
        if (sofar === undefined || per.best < sofar.best) best[kind] = per;
      }
    }
  }
  gpu.free(source);
  gpu.free(target);
  measuring.spread['readBytesPerSecond'] = best.read!.spread;
  measuring.spread['copyBytesPerSecond'] = best.copy!.spread;
  return { readBytesPerSecond: bytes / best.read!.best, copyBytesPerSecond: (2 * bytes) / best.copy!.best };
}

/** As calibrate_fma.wgsl has them: steps a round, chains of vec4 a thread. */
const FMA_STEPS = 8;
const FMA_CHAINS = 4;

/** Multiply-adds a second, counted as two operations, on the shader cores. */
export async function fmaCeiling(gpu: Gpu, half: boolean, measuring: Measuring): Promise<number> {
  const sink = gpu.storage('calibration sink', 16);
  const groups = gpu.capabilities.isCpu ? 256 : 16384;
  let best = 0;
  // Drivers without the instruction make a slow function of `fma`; others need it to fuse at all.
  for (const fused of [true, false]) {
    measuring.onProgress?.(`${half ? 'f16' : 'f32'} multiply-adds${fused ? ', fused' : ''}`);
    const pipeline = await gpu.pipelines.get({
      shader: 'calibrate_fma.wgsl',
      bindings: 'uw',
      defines: { half, fused },
    });
    // Grow the work until one launch takes at least 20 ms, so that the submission does not count.
    for (let rounds = 4; ; rounds *= 4) {
      const params = gpu.uniform('fma params', Uint32Array.of(rounds, 0, 0, 0));
      const bindGroup = gpu.bindGroup(pipeline, 'fma', [params, sink]);
      const launch = (pass: GPUComputePassEncoder): void => record(pass, pipeline, bindGroup, groups);
      await timeSubmission(gpu, launch);
      const once = await timeSubmission(gpu, launch);
      if (once < 0.02 && rounds < 1 << 24) {
        gpu.free(params);
        continue;
      }
      const timing = await timeRepeatedly(gpu, launch, { least: 3, budgetMs: 200 });
      const flops = groups * 64 * rounds * FMA_STEPS * FMA_CHAINS * 4 * 2;
      if (flops / timing.best > best) {
        best = flops / timing.best;
        measuring.spread[half ? 'f16FlopsPerSecond' : 'f32FlopsPerSecond'] = timing.spread;
      }
      gpu.free(params);
      break;
    }
  }
  gpu.free(sink);
  return best;
}

/** What a launch, its recording, and a submission with a readback cost. */
export async function launchCosts(
  gpu: Gpu,
  measuring: Measuring,
): Promise<Pick<Ceilings, 'dispatchSeconds' | 'recordSeconds' | 'roundTripSeconds'>> {
  measuring.onProgress?.('launches');
  const sink = gpu.storage('calibration sink', 16);
  const pipeline = await gpu.pipelines.get({ shader: 'calibrate_empty.wgsl', bindings: 'w', defines: {} });
  const bindGroup = gpu.bindGroup(pipeline, 'empty', [sink]);
  const launches = (count: number) => (pass: GPUComputePassEncoder) => {
    for (let i = 0; i < count; i++) record(pass, pipeline, bindGroup, 1);
  };
  const few = await timeRepeatedly(gpu, launches(64), { budgetMs: 200 });
  const many = await timeRepeatedly(gpu, launches(1088), { budgetMs: 400 });
  measuring.spread['dispatchSeconds'] = many.spread;

  const recording: number[] = [];
  for (let i = 0; i < 20; i++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    const start = performance.now();
    launches(1000)(pass);
    recording.push((performance.now() - start) / 1e6);
    pass.end();
    gpu.queue.submit([encoder.finish()]);
  }
  await gpu.queue.onSubmittedWorkDone();

  const staging = gpu.buffer('calibration readback', 16, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
  const trips: number[] = [];
  for (let i = 0; i < 60; i++) {
    const encoder = gpu.device.createCommandEncoder();
    const pass = encoder.beginComputePass();
    record(pass, pipeline, bindGroup, 1);
    pass.end();
    encoder.copyBufferToBuffer(sink, 0, staging, 0, 16);
    const start = performance.now();
    gpu.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ);
    trips.push((performance.now() - start) / 1000);
    staging.unmap();
  }
  gpu.free(staging);
  gpu.free(sink);
  const record1 = summarise(recording.slice(5));
  const trip = summarise(trips.slice(10));
  measuring.spread['recordSeconds'] = record1.spread;
  measuring.spread['roundTripSeconds'] = trip.spread;
  return {
    // The slope between few and many launches, which leaves the submission itself out.
    dispatchSeconds: Math.max(1e-9, (many.median - few.median) / 1024),
    recordSeconds: record1.median,
    roundTripSeconds: trip.median,
  };
}
