import type { TextKind } from '../../../engine/options/kinds.js';

const STEPS = 6;

/** Gigabits a second: `1..800Gbps` or `8,100,400Gbps`. */
export const bandwidths: TextKind<readonly number[]> = {
  wanted: 'gigabits a second such as 1..800Gbps or 8,100,400',
  read,
  show: (values) => values.join(','),
};

function read(text: string): number[] | undefined {
  const range = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)\s*(?:Gbps)?$/i.exec(text);
  const [from, to] = [Number(range?.[1]), Number(range?.[2])];
  const values =
    range === null
      ? text
          .replace(/\s*Gbps$/i, '')
          .split(',')
          .map(Number)
      : Array.from({ length: STEPS }, (_, at) => Number((from * (to / from) ** (at / (STEPS - 1))).toPrecision(2)));
  if (values.every((value) => value > 0 && Number.isFinite(value)) && (range === null || from < to)) return values;
  return undefined;
}
