import { describe, expect, test } from 'vitest';
import { fit, fittedSeconds, meanError, type FitPoint } from '../../src/roofline/fit/fit.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { softMaximum } from '../../src/roofline/predict/overlap.js';
import { readProfile, vidurProfile, type ProfileRow } from './vidur.js';

/** [outputs, inputs] of Llama-2-7B's linear layers under Vidur's names; those divided by inputs have `k` divided. */
const LAYERS = {
  attn_pre_proj: (tp: number) => [12_288 / tp, 4096],
  attn_post_proj: (tp: number) => [4096, 4096 / tp],
  mlp_up_proj: (tp: number) => [22_016 / tp, 4096],
  mlp_down_proj: (tp: number) => [4096, 11_008 / tp],
};

interface ProfilePoint extends FitPoint {
  readonly tokens: number;
  readonly tp: number;
}

function pointsOf({ tokens, tp, ms }: ProfileRow): ProfilePoint[] {
  return Object.entries(LAYERS).map(([name, shape]) => {
    const [n, k] = shape(tp);
    const bytes = 2 * (n * k + tokens * (n + k));
    return { tokens, tp, flops: 2 * tokens * n * k, bytes, seconds: ms(name) / 1000 };
  });
}

describe.each([
  { device: 'a100' as const, id: 'a100-80' },
  { device: 'h100' as const, id: 'h100-sxm' },
])('Vidur’s linear layers on $device (needs ../shared/data)', ({ device, id }) => {
  const path = vidurProfile(device);
  const { dense, bandwidth, efficiencies } = hardwareById(id);
  const roof = dense.f16!;
  const rows = path === undefined ? [] : readProfile(path).sort((a, b) => a.tokens - b.tokens);
  const whole = rows.filter(({ tp }) => tp === 1);
  /** Every other token count; sorted, so both halves span 1 to 4096. */
  const half = (which: 0 | 1): ProfilePoint[] => whole.filter((_, i) => i % 2 === which).flatMap(pointsOf);

  test.skipIf(path === undefined)('two efficiencies and an exponent, scored on the other half: 8 % at most', () => {
    const found = fit(half(0), roof, bandwidth, { launchSeconds: 0 });
    const error = meanError(half(1), roof, bandwidth, found);
    console.log(`${device}: ${JSON.stringify(found)}, error on the other half ${(100 * error).toFixed(2)} %`);
    expect(error).toBeLessThanOrEqual(0.08);
  });

  test.skipIf(path === undefined)('the layers of a step together, as a step takes them: 5 % at most', () => {
    const sums = (points: ProfilePoint[]): FitPoint[] => {
      const byTokens = new Map<number, FitPoint>();
      for (const { tokens, flops, bytes, seconds } of points) {
        const sum = byTokens.get(tokens) ?? { flops: 0, bytes: 0, seconds: 0 };
        byTokens.set(tokens, {
          flops: sum.flops + flops,
          bytes: sum.bytes + bytes,
          seconds: sum.seconds + seconds,
        });
      }
      return [...byTokens.values()];
    };
    const found = fit(sums(half(0)), roof, bandwidth, { launchSeconds: 0 });
    expect(meanError(sums(half(1)), roof, bandwidth, found)).toBeLessThanOrEqual(0.05);
  });

  test.skipIf(path === undefined)('the catalogue’s values are those of the fit with a launch cost', () => {
    const found = fit(half(0), roof, bandwidth);
    const kept = efficiencies!['matmul-many']!;
    expect(meanError(half(1), roof, bandwidth, kept)).toBeLessThanOrEqual(0.07);
    expect(kept.compute / found.compute).toBeCloseTo(1, 1);
    expect(kept.bandwidth / found.bandwidth).toBeCloseTo(1, 1);
    expect(kept.overlap / found.overlap).toBeCloseTo(1, 1);
  });

  test.skipIf(path === undefined)('and carry over to layers divided among 2, 4 and 8 chips', () => {
    const kept = efficiencies!['matmul-many']!;
    for (const tp of [2, 4, 8]) {
      const divided = rows.filter((row) => row.tp === tp).flatMap(pointsOf);
      expect(meanError(divided, roof, bandwidth, kept), `${tp} chips`).toBeLessThanOrEqual(0.1);
    }
  });
});

describe('fit', () => {
  const truth = { compute: 0.6, bandwidth: 0.8, overlap: 2.5, launchSeconds: 5e-6 };
  const [roof, bandwidth] = [100e12, 1e12];
  const work = [1, 4, 16, 64, 128, 256, 512, 2048].flatMap((m) =>
    [1024, 4096].map((n) => ({ flops: 2 * m * n * n, bytes: 2 * n * (n + 2 * m) })),
  );
  const points = work.map((each) => ({ ...each, seconds: fittedSeconds(each, roof, bandwidth, truth) }));

  test('finds the parameters that made the points', () => {
    const found = fit(points, roof, bandwidth);
    expect(meanError(points, roof, bandwidth, found)).toBeLessThan(0.005);
    expect(found.compute).toBeCloseTo(0.6, 2);
    expect(found.bandwidth).toBeCloseTo(0.8, 2);
  });

  test('what an output costs beside its sum is found where sums differ in length', () => {
    const short = [16, 64, 256].flatMap((m) =>
      [64, 256, 1024, 4096].map((k) => ({ flops: 2 * m * 512 * k, bytes: 2 * (m * k + 512 * k), outputs: m * 512 })),
    );
    const made = { ...truth, compute: 0.01, outputFlops: 120 };
    const timed = short.map((each) => ({ ...each, seconds: fittedSeconds(each, roof, bandwidth, made) }));
    // 64 multiply-adds are 128 FLOPs, beside which an output costs as many again.
    expect(fittedSeconds(timed[0], roof, 1e30, { ...made, launchSeconds: 0 })).toBeCloseTo(
      (16 * 512 * (128 + 120)) / (0.01 * roof),
      9,
    );
    const found = fit(timed, roof, bandwidth, { outputs: true });
    expect(found.outputFlops! / 120).toBeCloseTo(1, 1);
    expect(meanError(timed, roof, bandwidth, found)).toBeLessThan(0.01);
    expect(meanError(timed, roof, bandwidth, fit(timed, roof, bandwidth))).toBeGreaterThan(0.05);
    expect(fit(points, roof, bandwidth)).not.toHaveProperty('outputFlops');
  });

  test('what is given stays as it is', () => {
    const found = fit(points, roof, bandwidth, { launchSeconds: 1e-6, overlap: 2 });
    expect(found).toMatchObject({ launchSeconds: 1e-6, overlap: 2 });
  });

  test('stays within its bounds, also on points that say nothing about one of the ceilings', () => {
    const memoryBound = [1, 2, 3].map((n) => ({ flops: n, bytes: n * 1e9, seconds: (n * 1e9) / (0.9 * bandwidth) }));
    const found = fit(memoryBound, roof, bandwidth);
    expect(found.bandwidth).toBeCloseTo(0.9, 1);
    expect(found.compute).toBeGreaterThan(0);
    expect(found.compute).toBeLessThanOrEqual(1);
    expect(Object.values(found).every(Number.isFinite)).toBe(true);
  });

  test('refuses durations of nothing', () => {
    expect(() => fit([], roof, bandwidth)).toThrow(RangeError);
    expect(() => fit([{ flops: 1, bytes: 1, seconds: 0 }], roof, bandwidth)).toThrow(RangeError);
  });
});

test('the soft maximum lies between the maximum and the sum', () => {
  expect(softMaximum(3, 4, 2)).toBeCloseTo(5, 12);
  expect(softMaximum(3, 4, 1)).toBeCloseTo(7, 12);
  expect(softMaximum(3, 4, Infinity)).toBe(4);
  expect(softMaximum(0, 4, 1.5)).toBe(4);
  expect(softMaximum(1e-300, 1e-300, 30)).toBeCloseTo(1e-300, 290);
});
