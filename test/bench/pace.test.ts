import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { broughtToPace } from '../../bench/compare/statistic.js';
import { joinedPace, PaceLog, paceOf, paceRatios, referenceMs, toMicroseconds } from '../../bench/pace.js';
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
    const run = async (length: number, next: number) =>
      (
        await log.beside(async (onReady) => {
          now += 1000;
          await onReady();
          now += length;
          ms = next;
        })
      ).pace;
    // One of 4 before, one of 12 after: at a quarter and a twelfth of the speed.
    expect(await run(100, 12)).toBe(6);
    expect(log.samples.map(({ compute }) => compute)).toEqual([4, 12]);
    // A run of a second: samples for 40 ms behind it, and those of a second before it, none of them of 4.
    expect(await run(900, 12)).toBe(12);
    expect(log.samples).toHaveLength(2 + 1 + 3);
    ms = 1;
    // Before it as long as behind the last one; forty at most. Of the run before all four are near enough.
    expect(await run(2000, 1)).toBe(toMicroseconds((36 + 4 + 40) / (36 / 1 + 4 / 12 + 40 / 1)));
    expect(log.samples).toHaveLength(6 + 36 + 40);
  });

  it('is the middle one where each measurement was brought to it', () => {
    const samples_ms = [10, 11, 12, 20, 30];
    expect(referenceMs(samples_ms)).toBe(12);
    const reference = { referenceMs: 12, felt: { prompts: 1, tokens: 1 } };
    const calibrated = paceOf({ kernel: 'c', samples_ms }, reference)!;
    expect(calibrated.reference).toEqual(reference);
    expect(paceRatios({ kernel: 'c', samples_ms: [6, 18, 30] }, calibrated)).toEqual({
      compute: 1.5,
      memory: 1.5,
      launch: 1.5,
    });
    expect(paceRatios({ kernel: 'another', samples_ms: [6] }, calibrated)).toBeUndefined();
    expect(paceRatios({ kernel: 'c', samples_ms: [] }, calibrated)).toBeUndefined();
  });

  it('takes away from each sample what it was slowed by', () => {
    const reference = { referenceMs: 1.5, felt: { prompts: 1, tokens: 0.5 } };
    expect(broughtToPace([20, 100, 40, 9], [2, 10, 4, 1], reference, 'prompts')).toBe(15);
    // Where the kernel takes four times as long, a token takes twice as long.
    expect(broughtToPace([20, 30, 40], [1.5, 6, 6], reference, 'tokens')).toBe(20);
    expect(broughtToPace([20], undefined, reference, 'prompts')).toBeUndefined();
    expect(broughtToPace([20], [1], undefined, 'prompts')).toBeUndefined();
    expect(broughtToPace([20, 30], [1], reference, 'prompts')).toBeUndefined();
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

  it('is measured with a kernel on a device of its own', async () => {
    const log = await PaceLog.open(nodeHost, 'swiftshader');
    try {
      const { pace } = await log.beside((onReady) => onReady());
      expect(pace).toBeGreaterThan(0);
      const { kernel, samples_ms } = log.record()!;
      expect(kernel).toBe('product 2 x 8 x 512 x 512');
      expect(Math.min(...samples_ms)).toBeLessThanOrEqual(pace!);
      expect(Math.max(...samples_ms)).toBeGreaterThanOrEqual(pace!);
    } finally {
      await log.close();
    }
  });
});
