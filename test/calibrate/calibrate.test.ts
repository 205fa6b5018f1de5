import { describe, expect, it } from 'vitest';
import { calibrate } from '../../bench/calibrate/calibrate.js';
import { surveyInProcesses } from '../../bench/calibrate/matrix-processes.js';
import { fitSteps } from '../../bench/calibrate/step-costs.js';
import type { MatrixNews } from '../../bench/calibrate/subgroup-matrix.js';
import { inRounds, summariseTimings } from '../../bench/calibrate/timing.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { calibrationKey, calibrationSchema } from '../../src/roofline/hardware/calibration.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';

describe('timings', () => {
  it('keeps the best, the median and the spread', () => {
    const { spread, ...rest } = summariseTimings([5, 1, 2, 3, 4]);
    expect(rest).toEqual({ best: 1, median: 3 });
    expect(spread).toBeCloseTo((4.6 - 1.4) / 3, 12);
    expect(summariseTimings([2])).toEqual({ best: 2, median: 2, spread: 0 });
  });
});

describe('rounds of timings', () => {
  it('run all in turn, and leave the first round out', async () => {
    const order: string[] = [];
    const timed = (name: string) => ({
      name,
      run: () => Promise.resolve(order.push(name) <= 2 ? 100 : 1),
    });
    const list = [timed('a'), timed('b')];
    const timings = await inRounds(list, { least: 3, most: 3 });
    expect(order.join('')).toBe('abababab');
    expect(timings.get(list[0])!.median).toBe(1);
  });
});

describe('costs of steps', () => {
  it('are found again in steps made of them', () => {
    const points = [1, 2, 4, 8].flatMap((rows) =>
      [0.002, 0.01, 0.05].map((device) => ({ device, rows, measured: 1.1 * device + 0.0005 + 0.0002 * rows })),
    );
    const { stretch, seconds, rowSeconds } = fitSteps(points);
    for (const { device, rows, measured } of points) {
      expect(Math.abs((stretch * device + seconds + rowSeconds * rows) / measured - 1)).toBeLessThan(0.02);
    }
    expect(stretch).toBeCloseTo(1.1, 1);
  });

  it('are not thrown off by one disturbed step', () => {
    const points = Array.from({ length: 9 }, (_, at) => ({
      device: 0.01 * (at + 1),
      rows: 1,
      measured: 0.01 * (at + 1),
    }));
    points[4] = { ...points[4], measured: 1 };
    expect(fitSteps(points).stretch).toBeCloseTo(1, 1);
  });
});

describe('a survey of matrix configurations in processes of its own', () => {
  const config = { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16 };
  const survey = async (script: string, configs: number, patience?: number): Promise<MatrixNews[]> => {
    const news: MatrixNews[] = [];
    const run = surveyInProcesses((from) => ['-e', `const from = ${from};${script}`], patience);
    await run(
      Array.from({ length: configs }, () => config),
      (each) => news.push(each),
    );
    return news;
  };
  const MEASURES = `
    const say = (news) => require('fs').writeSync(1, JSON.stringify(news) + '\\n');
    const measured = (at) => say({ at, rate: {}, spread: at });`;

  it('goes on after one that takes its process along, and after one that leaves without a word', async () => {
    const script = `${MEASURES}
      for (let at = from; at < 4; at++) {
        say({ at });
        if (at === 1) { console.error('the driver crashes here'); process.kill(process.pid, 'SIGKILL'); }
        if (at === 2) process.exit(3);
        measured(at);
      }`;
    const news = await survey(script, 4);
    expect(news.filter((each) => !('rate' in each) && !('refused' in each)).map(({ at }) => at)).toEqual([0, 1, 2, 3]);
    expect(news.filter((each) => 'rate' in each).map(({ at }) => at)).toEqual([0, 3]);
    expect(news.filter((each) => 'refused' in each)).toEqual([
      { at: 1, refused: 'it ended its process by SIGKILL: the driver crashes here' },
      { at: 2, refused: 'its process ended with exit code 3' },
    ]);
  });

  it('leaves out one that hangs', async () => {
    const news = await survey('setInterval(() => undefined, 1000);', 1, 300);
    expect(news).toEqual([{ at: 0, refused: 'it took longer than 0.3 s' }]);
  });
});

describe('calibration files', () => {
  it('are named after adapter and driver, in characters any file system takes', () => {
    const key = calibrationKey('llvmpipe (LLVM 15, 256 bits)', 'Mesa 25.0.7-2~bpo12+1');
    expect(key).toBe('llvmpipe-llvm-15-256-bits-mesa-25.0.7-2-bpo12-1');
  });
});

describe.runIf(isFull).each(adapters)('ceilings of %s', (adapter) => {
  it('are measured, plausible, fit the schema, and outlive an engine that fails', async () => {
    const seen: string[] = [];
    const noEngine = { ...nodeHost, openModel: () => Promise.reject(new Error('no model here')) };
    const calibration = await calibrate(noEngine, 'test', {
      adapter,
      onProgress: (what) => seen.push(what),
      onSkipped: (what) => seen.push(`left out ${what}`),
      onMeasured: ({ ceilings: { readBytesPerSecond } }) =>
        Promise.resolve(void seen.push(`kept ${readBytesPerSecond > 0 ? 'memory' : 'nothing'}`)),
    });
    expect(() => calibrationSchema.parse(calibration)).not.toThrow();
    const { ceilings } = calibration;
    // A machine that computes at all: bounds wide enough for a slow driver and for a data centre's card.
    expect(ceilings.readBytesPerSecond).toBeGreaterThan(1e7);
    expect(ceilings.readBytesPerSecond).toBeLessThan(2e13);
    expect(ceilings.f32FlopsPerSecond).toBeGreaterThan(1e8);
    expect(ceilings.f32FlopsPerSecond).toBeLessThan(1e15);
    expect(ceilings.dispatchSeconds).toBeLessThan(1);
    expect(ceilings.recordSeconds).toBeLessThan(0.1);
    expect(ceilings.roundTripSeconds).toBeLessThan(10);
    expect(Object.keys(calibration.spread)).toContain('readBytesPerSecond');
    expect(seen.some((what) => what.startsWith('memory copy'))).toBe(true);
    expect(calibration.profiledSeconds).toBeLessThan(1);
    expect(calibration.efficiencies).toEqual({});
    const [kept, engine, matrices] = ['kept memory', 'left out the engine’s kernels: ', 'subgroupMatrix '].map(
      (begin) => seen.findIndex((what) => what.startsWith(begin)),
    );
    expect(kept).toBeGreaterThan(0);
    expect(engine).toBeGreaterThan(kept);
    expect(matrices === -1 || (matrices > kept && matrices < engine)).toBe(true);
  });
});
