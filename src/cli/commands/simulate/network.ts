import { RidgepointError } from '../../../errors.js';

const STEPS = 6;

/** Reads `1..800Gbps` or `8,100,400Gbps`: gigabits a second. @throws RidgepointError */
export function parseNetwork(text: string): number[] {
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
  throw new RidgepointError(
    'usage',
    `--network must be gigabits a second such as 1..800Gbps or 8,100,400, found ${JSON.stringify(text)}`,
  );
}
