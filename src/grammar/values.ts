import type { TypeName } from './keywords.js';
import { span, type Bounds } from './numbers.js';
import { MOST_UNIQUE } from './unique.js';

/** The multiples of `factor` within limits, if they are few. */
export function fewIntegers(bounds: Bounds, factor: number): number[] | undefined {
  const [from, to] = span(bounds);
  const [first, last] = [Math.ceil(from / factor), Math.floor(to / factor)];
  if (last - first >= MOST_UNIQUE) return undefined;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => (first + i) * factor + 0);
}

/** The types that a value is of. */
export function typesOf(value: unknown): TypeName[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number'];
  return [typeof value as TypeName];
}
