import { describe, expect, test } from 'vitest';
import { CATALOGUE, hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { efficienciesOf } from '../../src/roofline/hardware/efficiency.js';
import { fromCalibration, scaled } from '../../src/roofline/hardware/hardware.js';
import { memoryOf, usableBytes } from '../../src/roofline/hardware/memory.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { matmulRoof } from '../../src/roofline/hardware/roof.js';
import { calibration } from './calibration.js';
import { preset } from './models.js';

describe('the catalogue', () => {
  test.each(CATALOGUE.map((each) => [each.id, each] as const))('%s is complete and plausible', (_, each) => {
    expect(each.source.length).toBeGreaterThan(5);
    expect(each.shader.f32).toBeGreaterThan(1e12);
    expect(each.shader.f16).toBeGreaterThanOrEqual(each.shader.f32);
    expect(each.dense.f16 ?? each.shader.f16).toBeGreaterThanOrEqual(each.shader.f16);
    expect(each.bandwidth).toBeGreaterThan(5e10);
    expect(each.capacityBytes).toBeGreaterThan(1e8);
    for (const [format, rate] of Object.entries(each.sparse ?? {})) {
      const dense = each.dense[format as keyof typeof each.dense]!;
      expect(rate / dense, `sparse ${format} is twice dense`).toBeCloseTo(2, 1);
    }
  });

  test('holds what the issue lists, each name once', () => {
    const ids = CATALOGUE.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ['t4', 'v100', 'a100-40', 'a100-80', 'h100-pcie', 'h100-sxm', 'h100-capped', 'h200', 'b200']) {
      expect(ids).toContain(id);
    }
    for (const id of ['mi300x', 'l4', 'l40s', 'rtx-3090', 'rtx-4090', 'rtx-5090', 'apple-m1', 'apple-m4-max']) {
      expect(ids).toContain(id);
    }
    for (const id of ['gh200', 'gb200', 'b300', 'h20', 'mi250x', 'mi325x', 'mi355x', 'a10g', 'a40', 'rtx-a6000']) {
      expect(ids).toContain(id);
    }
    for (const id of [
      'rtx-6000-ada',
      'rtx-pro-6000',
      'rtx-4080',
      'rtx-3060',
      'rtx-5080',
      'rx-7900-xtx',
      'rx-9070-xt',
    ]) {
      expect(ids).toContain(id);
    }
    for (const id of [
      'strix-halo',
      'dgx-spark',
      'jetson-agx-orin',
      'gaudi-2',
      'gaudi-3',
      'tpu-v5e',
      'tpu-v5p',
      'tpu-v6e',
    ]) {
      expect(ids).toContain(id);
    }
    for (const id of ['trainium-2', 'apple-m5', 'apple-m5-pro', 'apple-m5-max']) expect(ids).toContain(id);
    for (const id of ['arc-a770', 'arc-b580', 'groqchip', 'groqrack', 'spad-prefill', 'spad-decode']) {
      expect(ids).toContain(id);
    }
  });

  test('figures that follow from others', () => {
    const h100 = hardwareById('H100');
    // 132 processors x 4 matrix units x 1024 operations a clock x 1.83 GHz; NVIDIA counts 80 "GB" as GiB.
    expect(h100.dense.f16! / (132 * 4 * 1024 * 1.83e9)).toBeCloseTo(1, 2);
    expect(h100.capacityBytes).toBe(80 * 2 ** 30);
    expect(hardwareById('a100').dense.f16! / (108 * 2048 * 1.41e9)).toBeCloseTo(1, 2);
    expect(hardwareById('h100-capped').dense.f16! / h100.dense.f16!).toBeCloseTo(0.76, 3);
    const rtx4090 = hardwareById('rtx-4090');
    expect(rtx4090.dense.f16Accumulate16! / rtx4090.dense.f16!).toBeCloseTo(2, 2);
    expect(hardwareById('groqrack').capacityBytes).toBeCloseTo(16.56e9, -7);
  });

  test('memory is what a driver gives, and of what is shared with the host a part', () => {
    expect(hardwareById('h200').capacityBytes).toBe(143_771 * 2 ** 20);
    expect(hardwareById('b200').capacityBytes).toBe(183_359 * 2 ** 20);
    expect(hardwareById('mi300x').capacityBytes).toBe(206_141_652_992);
    expect(hardwareById('l40s').capacityBytes).toBe(46_068 * 2 ** 20);
    const [m1, m2Ultra, h100] = ['apple-m1', 'apple-m2-ultra', 'h100'].map(hardwareById);
    expect(usableBytes(m1) / m1.capacityBytes).toBe(0.7);
    expect(usableBytes(m2Ultra) / m2Ultra.capacityBytes).toBe(0.75);
    expect(usableBytes(h100) / h100.capacityBytes).toBe(0.9);
    const fits = (weights: 'f16' | 'int8') =>
      memoryOf(new Predictor(preset('llama-2-7b'), m1, { weights }), 640, 1).fits;
    expect([fits('f16'), fits('int8')]).toEqual([false, true]);
  });

  test('prices an hour and watts in use have a date and a source', () => {
    const dated = CATALOGUE.flatMap(({ pricePerHour, wattsServing }) => [pricePerHour, wattsServing]).filter(
      (each) => each !== undefined,
    );
    expect(dated.length).toBeGreaterThanOrEqual(4);
    for (const { value, date, source } of dated) {
      expect(value).toBeGreaterThan(0);
      expect(date).toMatch(/^20\d\d-\d\d$/);
      expect(source.length).toBeGreaterThan(10);
    }
  });

  test('an unknown name is answered with those there are', () => {
    expect(() => hardwareById('h10')).toThrow(/choose from h100-pcie, h100-sxm, h100-capped$/);
    expect(() => hardwareById('cerebras')).toThrow(/choose from t4, /);
  });
});

describe('the roof', () => {
  const [h100, v100, rtx] = ['h100', 'v100', 'rtx-4090'].map(hardwareById);

  test('is that of the kernels and the format', () => {
    expect(matmulRoof(h100, 'tensor', 'f16')).toEqual({ name: 'tensor f16', rate: 989.4e12, fallback: false });
    expect(matmulRoof(h100, 'tensor', 'int8').rate).toBe(1979e12);
    expect(matmulRoof(h100, 'shader', 'f32')).toEqual({ name: 'shader f32', rate: 66.9e12, fallback: false });
    expect(matmulRoof(h100, 'shader', 'f16').rate).toBe(133.8e12);
    expect(matmulRoof(rtx, 'tensor', 'f16-acc16').rate).toBe(330.3e12);
  });

  test('of 4-bit floating point is a rate of its own on Blackwell, and that of 8 bits elsewhere', () => {
    expect(matmulRoof(hardwareById('b200'), 'tensor', 'fp4')).toMatchObject({ rate: 9000e12, fallback: false });
    expect(matmulRoof(h100, 'tensor', 'fp4')).toEqual({ name: 'tensor fp8', rate: 1979e12, fallback: true });
  });

  test('of a format the device has not is that of a wider one, and says so', () => {
    expect(matmulRoof(h100, 'tensor', 'int4')).toEqual({ name: 'tensor int8', rate: 1979e12, fallback: true });
    expect(matmulRoof(v100, 'tensor', 'fp8')).toEqual({ name: 'tensor f16', rate: 125e12, fallback: true });
    expect(matmulRoof(h100, 'shader', 'int8')).toEqual({ name: 'shader f16', rate: 133.8e12, fallback: true });
  });
});

describe('a calibration', () => {
  const machine = fromCalibration(calibration, 8e9);

  test('becomes hardware with its fastest matrix configurations', () => {
    expect(machine.dense).toEqual({ f16: 4e12, f16Accumulate16: 8e12, f32: undefined, int8: 9e12 });
    // Integers are as much faster than f32 as their matrices are than those of f16.
    expect(machine.shader).toEqual({ f32: 1e12, f16: 2e12, int8: (1e12 * 9) / 4 });
    expect(machine).toMatchObject({ bandwidth: 1e11, capacityBytes: 8e9, kind: 'measured' });
    expect(machine.host).toEqual({ recordSeconds: 1e-6, roundTripSeconds: 1e-4, launchSeconds: 2e-6 });
  });

  test('gives the efficiencies it measured; the others are defaults that say so', () => {
    const { values, origin } = efficienciesOf(machine, 'shader');
    expect(values['matmul-few'].bandwidth).toBe(0.8);
    expect(origin['matmul-few']).toBe('calibration of 2026-01-02');
    expect(values['matmul-many'].launchSeconds).toBe(2e-6);
    expect(origin['matmul-many']).toMatch(/^default/);
  });

  test('of library kernels says nothing about shader code', () => {
    expect(efficienciesOf(hardwareById('h100'), 'tensor').origin['matmul-few']).toMatch(/H100/);
    expect(efficienciesOf(hardwareById('h100'), 'shader').origin['matmul-few']).toMatch(/not measured/);
    expect(efficienciesOf(machine, 'tensor').origin['matmul-few']).toMatch(/^default/);
  });
});

test('scaling leaves what is absent absent', () => {
  const half = scaled(hardwareById('v100'), { compute: 0.5, bandwidth: 2 });
  expect(half.dense).toEqual({ f16: 62.5e12 });
  expect(half.bandwidth).toBe(1800e9);
});
