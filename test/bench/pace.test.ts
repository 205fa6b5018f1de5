import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { broughtToPace } from '../../bench/compare/statistic.js';
import { PaceLog } from '../../bench/pace/log.js';
import { joinedPace, middlePace, paceOf, paceRatios, sameKernels, toMicroseconds } from '../../bench/pace/record.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { calibrationSchema } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration, type Hardware } from '../../src/roofline/hardware/hardware.js';
import { atPace } from '../../src/roofline/hardware/pace.js';
import { familyModel } from '../../src/roofline/models/models.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { configOf } from '../../bench/compare/predictor.js';
import { begun } from './made-up.js';

const KERNELS = { compute: 'c', memory: 'm', launch: 'l' };

describe('the pace of a host', () => {
  it.each([
    // 150 ms apart at least: three runs of 50 ms.
    [10, [0, 3, 6, 9]],
    // Where a sample takes 40 ms, eight times that: seven runs.
    [40, [0, 7]],
  ])('of a GPU is sampled between runs, and not more often than it is worth: %i ms', async (ms, taken) => {
    let now = 0;
    const sample = () => {
      now += ms;
      return Promise.resolve({ compute: ms / 2, memory: ms / 4, launch: ms / 4 });
    };
    const log = PaceLog.of({ kernels: KERNELS, sample, now: () => now, each: false });
    const at: number[] = [];
    for (let run = 0; run < 10; run++) {
      const before = log.samples.length;
      const { run: measured, pace } = await log.beside(async (onReady) => {
        await onReady();
        return 'measured';
      });
      expect([measured, pace]).toEqual(['measured', undefined]);
      if (log.samples.length > before) at.push(run);
      now += 50;
    }
    expect(at).toEqual(taken);
    const of = (kernel: string, each: number) => ({ kernel, ms: { decile: each, median: each, fastest: each } });
    expect(paceOf(log.record())).toEqual({ ...of('c', ms / 2), memory: of('m', ms / 4), launch: of('l', ms / 4) });
  });

  it('of a driver that runs on the processor is told before and after each run', async () => {
    let [now, ms] = [1000, 4];
    const sample = () => {
      now += ms;
      return Promise.resolve({ compute: ms });
    };
    const log = PaceLog.of({ kernels: { compute: 'c' }, sample, now: () => now, each: true });
    /** A run of that length, made ready in a second, behind which a sample takes `next`. */
    const run = async (length: number, next: number) => {
      const { pace } = await log.beside(async (onReady) => {
        now += 1000;
        await onReady();
        now += length;
        ms = next;
      });
      expect([pace!.memory, pace!.launch]).toEqual([pace!.compute, pace!.compute]);
      return pace!.compute;
    };
    // Two of 4 before, two of 12 after: at a quarter and a twelfth of the speed.
    expect(await run(100, 12)).toBe(6);
    expect(log.samples.map(({ compute }) => compute)).toEqual([4, 4, 12, 12]);
    // A run of a second: samples for 40 ms behind it, and those of a second before it, none of them of 4.
    expect(await run(900, 12)).toBe(12);
    expect(log.samples).toHaveLength(4 + 2 + 3);
    ms = 1;
    // Before it as long as behind the last one; forty at most. Of the run before all five are near enough.
    expect(await run(2000, 1)).toBe(toMicroseconds((36 + 5 + 40) / (36 / 1 + 5 / 12 + 40 / 1)));
    expect(log.samples).toHaveLength(9 + 36 + 40);
  });

  it('of what comes last in a run is that of the moments near to it', async () => {
    let [now, ms] = [0, 4];
    const sample = () => {
      now += ms;
      return Promise.resolve({ compute: ms });
    };
    const log = PaceLog.of({ kernels: { compute: 'c' }, sample, now: () => now, each: true });
    const run = async (lead: number, length: number) => {
      ms = 4;
      now += 1000;
      const { pace } = await log.beside(
        async (onReady) => {
          await onReady();
          now += lead + length;
          ms = 12;
        },
        () => lead,
      );
      return pace!.compute;
    };
    expect(await run(0, 100)).toBe(6);
    // What was before a prompt of 96 ms is further from four of decoding than they are long.
    expect(await run(96, 4)).toBe(12);
    // Of 40 ms it is not.
    expect(await run(30, 40)).toBe(6);
    // A run that says that it came after its end is taken by what is behind it.
    expect(await run(500, -100)).toBe(12);
  });

  it('tells work and launches apart', async () => {
    let [now, slow] = [0, false];
    const sample = () => {
      now += 5;
      return Promise.resolve({ compute: slow ? 6 : 3, launch: slow ? 10 : 2 });
    };
    const log = PaceLog.of({ kernels: { compute: 'c', launch: 'l' }, sample, now: () => now, each: true });
    const { pace } = await log.beside(async (onReady) => {
      await onReady();
      now += 10;
      slow = true;
    });
    // What is not timed by itself is as slow as work.
    expect(pace).toEqual({ compute: 4, memory: 4, launch: toMicroseconds(4 / (1 / 2 + 1 / 2 + 1 / 10 + 1 / 10)) });
    expect(log.record()).toEqual({
      ...{ kernel: 'c', samples_ms: [3, 3, 6, 6] },
      launch: { kernel: 'l', samples_ms: [2, 2, 10, 10] },
    });
  });

  it('is the middle one where each measurement was brought to it', () => {
    const of = (kernel: string, ...samples_ms: number[]) => ({ kernel, samples_ms });
    const taken = { ...of('c', 10, 11, 12, 20, 30), memory: of('m', 6, 4, 5), launch: of('l', 3, 1, 2, 2, 5) };
    const ms = { compute: 12, memory: 5, launch: 2 };
    expect(middlePace(taken)).toEqual(ms);
    expect(middlePace(of('c', 1))).toBeUndefined();
    const alike = { compute: 1, memory: 1, launch: 1 };
    const broughtTo = { ms, felt: { prompts: alike, tokens: alike } };
    const calibrated = paceOf(taken, broughtTo)!;
    expect(calibrated.broughtTo).toEqual(broughtTo);
    const now = { ...of('c', 6, 18, 30), memory: of('m', 20), launch: of('l', 5) };
    expect(paceRatios(now, calibrated)).toEqual({ compute: 1.5, memory: 4, launch: 2.5 });
    expect(sameKernels(now, calibrated)).toBe(true);
    for (const other of [
      { ...now, kernel: 'another' },
      { ...now, launch: of('another', 5) },
      { ...now, memory: undefined },
    ]) {
      expect(sameKernels(other, calibrated)).toBe(false);
    }
    expect(paceRatios({ ...now, launch: of('another', 5) }, calibrated)!.launch).toBe(1.5);
    expect(paceRatios({ ...now, kernel: 'another' }, calibrated)).toBeUndefined();
    expect(paceRatios({ ...now, samples_ms: [] }, calibrated)).toBeUndefined();
  });

  it('takes away from each sample what it was slowed by', () => {
    const prompts = { compute: 1, memory: 0.5, launch: 1 };
    const reference = {
      ms: { compute: 1.5, memory: 1, launch: 0.5 },
      felt: { prompts, tokens: { compute: 0.5, memory: 0, launch: 0.5 } },
    };
    const paces = (compute: number[], memory = compute.map(() => 1), launch = compute.map(() => 0.5)) => ({
      ...{ compute, memory, launch },
    });
    const work = { phase: 'prompts', work: 1 } as const;
    expect(broughtToPace([20, 100, 40, 9], paces([2, 10, 4, 1]), reference, work)).toBe(15);
    // Both kinds of work slow it: twice, and by the root of four.
    expect(broughtToPace([40], paces([3], [4]), reference, work)).toBe(10);
    // Where the kernel takes four times as long, the work of a token takes twice as long.
    expect(broughtToPace([20, 30, 40], paces([1.5, 6, 6]), reference, { phase: 'tokens', work: 1 })).toBe(20);
    // Of 10 ms a quarter is work: it takes four times as long, and launches as much longer as they do beside such work.
    const quarter = { phase: 'prompts', work: 0.25 } as const;
    const usual = 4 ** 0.4;
    const taken = (works: number, launches: number) => [2.5 * works + 7.5 * launches];
    const brought = (samples: number[], compute: number, launch: number) =>
      broughtToPace(samples, paces([1.5 * compute], [1], [0.5 * launch]), reference, quarter);
    expect(brought(taken(4, usual), 4, usual)).toBeCloseTo(10, 9);
    // Or three times as much, beyond what they may by themselves, or half.
    expect(brought(taken(4, 3 * usual), 4, 3 * 1.35 * usual)).toBeCloseTo(10, 9);
    expect(brought(taken(4, usual / 2), 4, usual / 2 / 1.35)).toBeCloseTo(10, 9);
    // What they differ by between processes is not the host's.
    for (const launch of [1.34, 1 / 1.34]) {
      expect(brought([10], 1, launch)).toBeCloseTo(10, 9);
      expect(brought(taken(4, usual), 4, launch * usual)).toBeCloseTo(10, 9);
    }
    expect(broughtToPace([20], undefined, reference, work)).toBeUndefined();
    expect(broughtToPace([20], paces([1]), undefined, work)).toBeUndefined();
    expect(broughtToPace([20, 30], paces([1]), reference, work)).toBeUndefined();
  });

  it('is a ratio of times of the same kernels, for each part of a step', () => {
    const of = (kernel: string, ...samples_ms: number[]) => ({ kernel, samples_ms });
    const calibrated = paceOf({ ...of('c', 10, 12, 14), memory: of('m', 1, 2, 3), launch: of('l', 4, 4, 4) });
    const now = { ...of('c', 30, 24, 20), memory: of('m', 3, 3, 3), launch: of('l', 2, 2, 2) };
    expect(paceRatios(now, calibrated, 'median')).toEqual({ compute: 2, memory: 1.5, launch: 0.5 });
    expect(paceRatios(now, calibrated, 'fastest')).toEqual({ compute: 2, memory: 3, launch: 0.5 });
    // Files from before the others were timed.
    expect(paceRatios(of('c', 24), calibrated, 'median')).toEqual({ compute: 2, memory: 2, launch: 2 });
    expect(paceRatios({ ...now, memory: of('another', 3) }, calibrated, 'median')!.memory).toBe(2);
    expect(paceRatios({ ...now, kernel: 'another' }, calibrated)).toBeUndefined();
    expect(paceRatios(now, undefined)).toBeUndefined();
    expect(paceRatios(of('c'), calibrated)).toBeUndefined();
    expect(paceOf(of('c'))).toBeUndefined();
  });

  it('goes on where a benchmark was stopped, unless the kernels have changed', () => {
    const of = (kernel: string, ...samples_ms: number[]) => ({ kernel, samples_ms });
    const earlier = { ...of('c', 1), memory: of('m', 2), launch: of('l', 3) };
    const later = { ...of('c', 4), memory: of('n', 5), launch: of('l', 6) };
    expect(joinedPace(earlier, later)).toEqual({ ...of('c', 1, 4), memory: of('n', 5), launch: of('l', 3, 6) });
    expect(joinedPace(of('c', 1), later)).toEqual({ ...later, samples_ms: [1, 4] });
    expect(joinedPace(undefined, later)).toEqual(later);
    expect(joinedPace(earlier, undefined)).toEqual(earlier);
  });

  it('slows ceilings, launches and what steps cost, and nothing else', () => {
    const calibration = calibrationSchema.parse(
      JSON.parse(readFileSync('bench/results/llvmpipe_mesa-25.0.7_2026-11-30/calibration.json', 'utf8')),
    );
    const hardware = fromCalibration(calibration);
    expect(atPace(hardware, { compute: 1, memory: 1, launch: 1 })).toEqual(hardware);
    const slow = atPace(hardware, { compute: 2, memory: 4, launch: 3 });
    expect(slow.shader.f32).toBe(hardware.shader.f32 / 2);
    expect(slow.bandwidth).toBe(hardware.bandwidth / 4);
    const [host, then] = [slow.host!, hardware.host!];
    expect(host.roundTripSeconds).toBe(3 * then.roundTripSeconds);
    expect(host.steps!.next).toEqual({
      stretch: then.steps!.next!.stretch,
      seconds: 3 * then.steps!.next!.seconds,
      rowSeconds: 3 * then.steps!.next!.rowSeconds,
    });
    const [few, fewThen] = [slow.efficiencies!['matmul-few']!, hardware.efficiencies!['matmul-few']!];
    expect(few).toEqual({ ...fewThen, launchSeconds: 3 * fewThen.launchSeconds });
    // All alike is the same as every time multiplied.
    const model = familyModel('tiny', configOf(begun()));
    const seconds = (machine: Hardware) => new Predictor(model, machine, { weights: 'f32', kv: 'f32' });
    const [one, other] = [hardware, atPace(hardware, { compute: 3, memory: 3, launch: 3 })].map(seconds);
    expect(other.prefillSeconds(100)).toBeCloseTo(3 * one.prefillSeconds(100), 9);
    expect(other.decodeSeconds(50, 10, 4)).toBeCloseTo(3 * one.decodeSeconds(50, 10, 4), 9);
  });

  it('is measured with kernels on a device of their own', async () => {
    const log = await PaceLog.open(nodeHost, 'swiftshader');
    try {
      const { pace } = await log.beside((onReady) => onReady());
      const { kernel, samples_ms, memory, launch } = log.record()!;
      expect([kernel, memory!.kernel, launch!.kernel]).toEqual([
        'product 2 x 8 x 512 x 512',
        'product 2 x 1 x 512 x 2048',
        'product 64 x 1 x 4 x 128',
      ]);
      for (const [each, samples] of [
        [pace!.compute, samples_ms],
        [pace!.memory, memory!.samples_ms],
        [pace!.launch, launch!.samples_ms],
      ] as const) {
        expect(each).toBeGreaterThan(0);
        expect(Math.min(...samples)).toBeLessThanOrEqual(each);
        expect(Math.max(...samples)).toBeGreaterThanOrEqual(each);
      }
    } finally {
      await log.close();
    }
  });
});
