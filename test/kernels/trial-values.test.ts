import { expect, it } from 'vitest';
import { halfWords } from '../../src/quantization/halves.js';
import { trialHalves, trialValues } from '../../src/kernels/trial-step.js';

it('trial values spread over [-1, 1), differ from row to row, and begin alike whatever their count', () => {
  const cols = 4096;
  const values = trialValues(200 * cols);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  expect(Math.abs(mean)).toBeLessThan(0.01);
  expect(values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThanOrEqual(1);
  const rows = new Set(Array.from({ length: 200 }, (_, row) => values.slice(row * cols, row * cols + 8).join()));
  expect(rows.size).toBe(200);
  expect(trialValues(1000)).toEqual(values.slice(0, 1000));
});

it('trial values in f16 are those rounded', () => {
  for (const count of [8, 131_072, 300_000]) {
    expect(
      Buffer.compare(Buffer.from(trialHalves(count).buffer), Buffer.from(halfWords(trialValues(count)).buffer)),
    ).toBe(0);
  }
});
