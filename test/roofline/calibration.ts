import type { Calibration } from '../../src/roofline/hardware/calibration.js';

/** A made-up machine. */
export const calibration: Calibration = {
  version: 1,
  adapter: 'Test adapter',
  driver: 'driver 1',
  isCpu: false,
  date: '2026-01-02T03:04:05Z',
  ridgepoint: '0.1.0',
  ceilings: {
    readBytesPerSecond: 1e11,
    copyBytesPerSecond: 0.9e11,
    f32FlopsPerSecond: 1e12,
    f16FlopsPerSecond: 2e12,
    subgroupMatrix: [
      { componentType: 'f16', resultComponentType: 'f32', M: 16, N: 16, K: 16, flopsPerSecond: 4e12 },
      { componentType: 'f16', resultComponentType: 'f32', M: 8, N: 8, K: 8, flopsPerSecond: 3e12 },
      { componentType: 'f16', resultComponentType: 'f16', M: 16, N: 16, K: 16, flopsPerSecond: 8e12 },
      { componentType: 'i8', resultComponentType: 'i32', M: 16, N: 16, K: 32, flopsPerSecond: 9e12 },
    ],
    dispatchSeconds: 2e-6,
    recordSeconds: 1e-6,
    roundTripSeconds: 1e-4,
  },
  efficiencies: { 'matmul-few': { compute: 0.3, bandwidth: 0.8, overlap: 2, launchSeconds: 3e-6 } },
  spread: {},
};
