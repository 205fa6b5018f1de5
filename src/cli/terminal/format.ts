/** Three significant digits, or whole above that. */
export function digits(value: number, count = 3): string {
  if (!Number.isFinite(value)) return 'unlimited';
  const text = value.toPrecision(count);
  return text.includes('e') || Math.abs(value) >= 10 ** count ? String(Math.round(value)) : text;
}

/** Seconds as milliseconds, without a unit. */
export const ms = (seconds: number | undefined): string =>
  seconds === undefined ? '-' : (1000 * seconds).toFixed(seconds < 0.1 ? 2 : 1);

export const percent = (share: number | undefined, places = 1): string =>
  share === undefined ? '-' : `${(100 * share).toFixed(places)} %`;

const SCALES: [number, string][] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** With a decimal prefix: `13.5 GB`, `312 TFLOP/s`. */
export function scaledUnit(value: number, unit: string, count = 3): string {
  if (!Number.isFinite(value)) return 'unknown';
  const [scale, prefix] = SCALES.find(([least]) => Math.abs(value) >= least * 0.9995) ?? [1, ''];
  return `${digits(value / scale, count)} ${prefix}${unit}`;
}

export const bytes = (value: number): string => scaledUnit(value, 'B', 4);

export const times = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(2)}x`);

/** Milliseconds for programs, to a picosecond. */
export const toMs = (seconds: number | undefined): number | undefined =>
  seconds === undefined ? undefined : Number((1000 * seconds).toFixed(9));
