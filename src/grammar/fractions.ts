import type { Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import type { Flat } from './flat.js';
import { intersect } from './intersect.js';
import { refuse } from './located.js';

/** Most decimals of such a factor: its fractions are written out. */
const MOST_PLACES = 3;

/** A factor that divides one, such as 0.5 and 0.25, in units of its last decimal. */
export interface Fraction {
  readonly places: number;
  readonly units: number;
}

/** @returns undefined for a factor that does not divide one, or has too many decimals */
export function fractionOf(value: number): Fraction | undefined {
  const places = String(value).split('.')[1]?.length ?? 0;
  if (!(value < 1) || places > MOST_PLACES || String(value).includes('e')) return undefined;
  const units = Math.round(value * 10 ** places);
  return 10 ** places % units === 0 ? { places, units } : undefined;
}

/**
 * Those of some numbers that all factors such as 0.5 divide.
 *
 * @throws RidgepointError where they are too many to be told apart
 */
export function multiplesOf(
  e: Expressions,
  numbers: Expression,
  { fractions, pointer }: Pick<Flat, 'fractions' | 'pointer'>,
): Expression {
  if (fractions.length === 0) return numbers;
  const fit = intersect(e, [numbers, ...fractions.map((each) => divided(e, each))]);
  return fit ?? refuse(`${pointer}/multipleOf`, 'needs too many states; leave it out');
}

/** Plain decimals whose part behind the point such a factor divides, with zeros behind it or without. */
function divided(e: Expressions, { places, units }: Fraction): Expression {
  return e.constant(`multiples of ${units} at ${places} decimals`, () => {
    const behind = new Set<string>();
    for (let at = 0; at < 10 ** places; at += units) {
      const digits = String(at).padStart(places, '0');
      for (let end = places; end > 0 && /^0*$/.test(digits.slice(end)); end--) behind.add(digits.slice(0, end));
    }
    const point = e.sequence(e.text('.'), e.choice(...[...behind].map((digits) => e.text(digits))));
    const whole = e.repeat(e.range(0x30, 0x39), 1, Infinity);
    return e.sequence(e.optional(e.text('-')), whole, e.optional(point));
  });
}
