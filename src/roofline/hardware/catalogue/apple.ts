import type { Hardware } from '../hardware.js';
import { M1_FIT, M1_SOURCE } from './fitted.js';
import { GIB } from './units.js';

const SOURCE = 'Apple (bandwidth and memory); f32 rate from cores, ALUs and clock, as collected by hmc-tech';

/** Largest memory of each chip in GiB; matrix instructions run at the shader rate, f16 at that of f32. */
function apple(name: string, f32: number, bandwidth: number, memory: number, more: Partial<Hardware> = {}): Hardware {
  const tera = Math.round(f32 * 1e12);
  return {
    id: `apple-${name.toLowerCase().replace(' ', '-')}`,
    name: `Apple ${name}`,
    kind: 'integrated',
    class: 'apple',
    dense: { f16: tera, f32: tera },
    shader: { f32: tera, f16: tera },
    bandwidth: bandwidth * 1e9,
    capacityBytes: memory * GIB,
    capacityUnit: 'GiB',
    sharedMemory: true,
    source: SOURCE,
    ...more,
  };
}

const FIRST = { efficiencies: M1_FIT, efficiencySource: M1_SOURCE };

export const APPLE: readonly Hardware[] = [
  apple('M1', 2.6, 68, 16, FIRST),
  apple('M1 Pro', 5.2, 200, 32, FIRST),
  apple('M1 Max', 10.4, 400, 64, FIRST),
  apple('M1 Ultra', 21, 800, 128, FIRST),
  apple('M2', 3.6, 100, 24),
  apple('M2 Pro', 6.8, 200, 32),
  apple('M2 Max', 13.6, 400, 96),
  apple('M2 Ultra', 27.2, 800, 192),
  apple('M3', 3.6, 100, 24, { note: '10 cores; sources say 3.6 to 4.1 TFLOP/s' }),
  apple('M3 Pro', 6.4, 150, 36, { note: '18 cores; sources say 6.4 to 7.4 TFLOP/s' }),
  apple('M3 Max', 14.2, 400, 128, { note: '40 cores' }),
  apple('M3 Ultra', 28.4, 819, 512, { note: '80 cores' }),
  apple('M4', 4.3, 120, 32, { note: '10 cores' }),
  apple('M4 Pro', 8.6, 273, 64, { note: '20 cores; sources say 8.6 to 9.2 TFLOP/s' }),
  apple('M4 Max', 17, 546, 128, { note: '40 cores; sources say 17 to 18.4 TFLOP/s' }),
  ...(
    [
      ['M5', 4.3, 153, 32],
      ['M5 Pro', 8.6, 307, 64],
      ['M5 Max', 17, 614, 128],
    ] as const
  ).map(([name, f32, bandwidth, memory]) =>
    apple(name, f32, bandwidth, memory, {
      note: 'each core has a matrix unit, which f16 products are taken to run on',
      dense: { f16: Math.round(4e12 * f32), f32: Math.round(f32 * 1e12) },
      source: 'Apple, March 2026, by lowyat.net (bandwidth, memory; four times the peak of M4 in products)',
      unchecked: 'f32 rates taken from M4; bandwidth of M5',
    }),
  ),
];
