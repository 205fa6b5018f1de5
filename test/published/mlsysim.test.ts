import { describe, expect, it } from 'vitest';
import {
  kvBytesGrouped,
  kvBytesInferred,
  MLSYSIM_HARDWARE,
  MLSYSIM_MODELS,
  mlsysim,
  phaseCrossover,
  ttftShare,
} from '../../src/published/mlsysim.js';

const model = MLSYSIM_MODELS['llama3-8b'];

describe('mlsysim-seed', () => {
  it('gives the tutorial’s numbers', () => {
    const { ttftMs, itlMs, weightBytes, kvBytes, utilisation } = mlsysim('mlsysim-seed');
    expect(ttftMs.toFixed(2)).toBe('66.52');
    expect(itlMs.toFixed(2)).toBe('8.35');
    expect((weightBytes / 1e9).toFixed(2)).toBe('16.06');
    expect((kvBytes / 1e9).toFixed(2)).toBe('1.20');
    expect((100 * utilisation).toFixed(1)).toBe('20.1');
  });

  it('agrees with a calculation by hand', () => {
    // 2 · 8.03e9 · 2048 = 3.28909e13; / 494.5e12 = 66.513 ms; + 0.01.
    expect(mlsysim('mlsysim-seed').ttftMs).toBeCloseTo(66.5235, 3);
    // sqrt(8.03e9 / 384) = 4572.9; 2 · 32 · 4572.9 · 2048 · 2 = 1.19876e9; 17.25876e9 / 3.35e12 = 5.1519 ms; + 3.2.
    expect(mlsysim('mlsysim-seed').kvBytes).toBeCloseTo(1.19876e9, -5);
    expect(mlsysim('mlsysim-seed').itlMs).toBeCloseTo(8.3519, 3);
  });

  it('takes the fp16 rate where the hardware has none of its own', () => {
    const int8 = mlsysim('mlsysim-seed', { precision: 'int8', hardware: MLSYSIM_HARDWARE.T4 });
    expect(int8.ttftMs).toBe(mlsysim('mlsysim-seed', { hardware: MLSYSIM_HARDWARE.T4 }).ttftMs);
    const weightOnly = mlsysim('mlsysim-seed', { precision: 'int8', computePrecision: 'fp16' });
    expect(weightOnly.ttftMs).toBe(mlsysim('mlsysim-seed').ttftMs);
    expect(weightOnly.weightBytes).toBe(8.03e9);
  });

  it('the ITLs of four GPUs leave room for the inferred KV cache and for no usual one', () => {
    const rows = [
      [MLSYSIM_HARDWARE.T4, 60.88],
      [MLSYSIM_HARDWARE.A100, 12.25],
      [MLSYSIM_HARDWARE.H100, 8.71],
      [MLSYSIM_HARDWARE.H200, 7.05],
    ] as const;
    const bytesAt = (bandwidth: number, itl: number) => ((itl - 3.2) / 1e3) * bandwidth - 2 * model.parameters;
    const low = Math.max(...rows.map(([{ bandwidth }, itl]) => bytesAt(bandwidth, itl - 0.005)));
    const high = Math.min(...rows.map(([{ bandwidth }, itl]) => bytesAt(bandwidth, itl + 0.005)));
    const inside = (bytes: number) => bytes >= low && bytes <= high;
    expect(high - low).toBeLessThan(4e6);
    expect(inside(kvBytesInferred(model, 4096))).toBe(true);
    expect(inside(kvBytesGrouped(model, 4096))).toBe(false);
    expect(inside(kvBytesGrouped({ ...model, kvHeads: model.heads }, 4096))).toBe(false);
  });
});

describe('mlsysim-main', () => {
  it('adds attention, counts KV heads and takes a tenth of the tax', () => {
    const { ttftMs, itlMs, kvBytes } = mlsysim('mlsysim-main');
    // 4 · 32 · 4096 · 2048² = 2.19902e12 FLOPs more: 4.447 ms.
    expect(ttftMs).toBeCloseTo(70.97, 2);
    expect(itlMs).toBeCloseTo(5.19, 2);
    expect(kvBytes).toBe(131_072 * 2048);
  });
});

describe('phases', () => {
  it('shares of a request', () => {
    expect(100 * ttftShare('mlsysim-seed', 50, 500)).toBeCloseTo(0.04, 2);
    expect(100 * ttftShare('mlsysim-seed', 4000, 100)).toBeCloseTo(13.0, 1);
  });

  it('finds a crossing, or none', () => {
    expect(phaseCrossover((tokens) => tokens - 1234.5)).toBeCloseTo(1234.5, 1);
    expect(phaseCrossover(() => -1)).toBeUndefined();
  });
});
