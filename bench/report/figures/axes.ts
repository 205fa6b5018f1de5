/** A domain of positive numbers on a logarithmic axis. */
export type Domain = readonly [low: number, high: number];

/** Round numbers on a logarithmic axis: powers of ten, and between them 2 and 5 where there is room. */
export function logTicks([low, high]: Domain): number[] {
  const decades = Math.log10(high / low);
  const steps = decades > 2.5 ? [1] : decades > 0.7 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) ticks.push(Number((step * 10 ** power).toPrecision(3)));
  }
  return ticks.filter((tick) => tick >= low && tick <= high);
}

/** A logarithmic axis that shows exactly `domain`. */
export function logAxis(field: string, domain: Domain, title: string) {
  return {
    field,
    type: 'quantitative',
    scale: { type: 'log', domain, nice: false },
    title,
    axis: { format: '~g', values: logTicks(domain), labelOverlap: false },
  };
}

/** Where `value` lies on an axis of `pixels` pixels, and back. */
export const toPixel = ([low, high]: Domain, pixels: number, value: number): number =>
  (pixels * Math.log(value / low)) / Math.log(high / low);
export const fromPixel = ([low, high]: Domain, pixels: number, at: number): number =>
  low * (high / low) ** (at / pixels);
