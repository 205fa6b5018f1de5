import type { Expression } from './expression.js';
import type { Expressions } from './expressions.js';

/** Bounds of a number; exclusive ones are marked. */
export interface Bounds {
  readonly low?: { readonly value: number; readonly exclusive: boolean };
  readonly high?: { readonly value: number; readonly exclusive: boolean };
  /** Most decimals, of numbers that need not be whole. */
  readonly places?: number;
}

/** Significant digits that every double tells apart, so that comparing digits is comparing doubles. */
const EXACT_DIGITS = 15;

function digits(e: Expressions, min: number, max: number): Expression {
  return e.repeat(e.range(0x30, 0x39), min, max);
}

/** A number without bounds: at most 21 digits, 25 decimals and an exponent of -400 to 280, so that it is finite. */
export function anyNumber(e: Expressions): Expression {
  return e.constant('any number', () => numberText(e));
}

function numberText(e: Expressions): Expression {
  const whole = e.choice(e.text('0'), e.sequence(e.range(0x31, 0x39), digits(e, 0, 20)));
  const fraction = e.sequence(e.text('.'), digits(e, 1, 25));
  const padded = e.sequence(e.text('0'), digits(e, 1, 1)); // 1e-07, as Python has it
  const exponent = e.sequence(
    e.oneOf('eE'),
    e.choice(
      e.sequence(e.optional(e.text('+')), e.choice(padded, natural(e, 0, 280))),
      e.sequence(e.text('-'), e.choice(padded, natural(e, 0, 400))),
    ),
  );
  return e.sequence(e.optional(e.text('-')), whole, e.optional(fraction), e.optional(exponent));
}

/** An integer of the bounds, clipped to what a double holds exactly; NEVER where there is none. */
export function integer(e: Expressions, bounds: Bounds): Expression {
  const [from, to] = span(bounds);
  return e.choice(natural(e, Math.max(0, from), to), e.sequence(e.text('-'), natural(e, Math.max(1, -to), -from)));
}

/** The first and the last integer of bounds, clipped to what a double holds exactly. */
export function span({ low, high }: Bounds): [number, number] {
  let [from, to] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  if (low !== undefined) {
    const whole = Math.ceil(low.value);
    from = Math.max(from, low.exclusive && whole === low.value ? whole + 1 : whole);
  }
  if (high !== undefined) {
    const whole = Math.floor(high.value);
    to = Math.min(to, high.exclusive && whole === high.value ? whole - 1 : whole);
  }
  return [from, to];
}

/** The integers from `low` to `high`, neither negative, without leading zeros. */
function natural(e: Expressions, low: number, high: number): Expression {
  if (low > high) return e.choice();
  return integersBetween(e, String(low), String(high)).reduce((a, b) => e.choice(a, b), e.choice());
}

/** One expression for each number of digits that occurs. */
function integersBetween(e: Expressions, low: string, high: string): Expression[] {
  const result: Expression[] = [];
  for (let length = low.length; length <= high.length; length++) {
    const least = length === low.length ? low : `1${'0'.repeat(length - 1)}`;
    const most = length === high.length ? high : '9'.repeat(length);
    result.push(sameLength(e, least, most));
  }
  return result;
}

/** Digit strings of one length, from `low` to `high`. */
function sameLength(e: Expressions, low: string, high: string): Expression {
  if (low > high) return e.choice();
  if (/^0*$/.test(low) && /^9*$/.test(high)) return digits(e, low.length, low.length);
  const [l, h] = [low.charCodeAt(0), high.charCodeAt(0)];
  const [lowRest, highRest] = [low.slice(1), high.slice(1)];
  if (l === h) return e.sequence(e.range(l, l), sameLength(e, lowRest, highRest));
  const between = l + 1 < h ? e.sequence(e.range(l + 1, h - 1), digits(e, lowRest.length, lowRest.length)) : e.choice();
  return e.choice(
    e.sequence(e.range(l, l), sameLength(e, lowRest, '9'.repeat(lowRest.length))),
    between,
    e.sequence(e.range(h, h), sameLength(e, '0'.repeat(highRest.length), highRest)),
  );
}

/** A non-negative decimal: `whole` without leading zeros, `fraction` without trailing ones. */
interface Decimal {
  readonly whole: string;
  readonly fraction: string;
  readonly exclusive: boolean;
}

const ZERO: Decimal = { whole: '0', fraction: '', exclusive: false };
const LARGEST: Decimal = { whole: '9'.repeat(EXACT_DIGITS), fraction: '', exclusive: false };

/**
 * A number of the bounds, in plain decimals of at most 15 digits: so many any double tells apart, so a text inside the
 * bounds is a number inside them. NEVER where there is none.
 */
export function numberWithin(e: Expressions, bounds: Bounds): Expression {
  const low = bounds.low ?? { value: -Infinity, exclusive: false };
  const high = bounds.high ?? { value: Infinity, exclusive: false };
  const { places = EXACT_DIGITS } = bounds;
  const positive = decimals(
    e,
    places,
    low.value < 0 ? ZERO : decimal(low.value, low.exclusive),
    decimal(high.value, high.exclusive),
  );
  const least = high.value >= 0 ? { ...ZERO, exclusive: true } : decimal(-high.value, high.exclusive);
  const negative = decimals(e, places, least, decimal(-low.value, low.exclusive));
  return e.choice(
    high.value < 0 ? e.choice() : positive,
    low.value >= 0 ? e.choice() : e.sequence(e.text('-'), negative),
  );
}

function decimal(value: number, exclusive: boolean): Decimal {
  if (value > Number(LARGEST.whole)) return { ...LARGEST, whole: `1${'0'.repeat(EXACT_DIGITS)}`, exclusive: true };
  if (value < 0) return ZERO;
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole, fraction = ''] = mantissa.split('.');
  // Below 10^15 an exponent is negative.
  const moved = '0'.repeat(-Number(exponent)) + whole;
  const cut = moved.length + Number(exponent);
  return {
    whole: moved.slice(0, cut).replace(/^0+(?=\d)/, '') || '0',
    fraction: (moved.slice(cut) + fraction).replace(/0+$/, ''),
    exclusive,
  };
}

function decimals(e: Expressions, most: number, low: Decimal, high: Decimal): Expression {
  const below = (a: string, b: string): boolean => a.length < b.length || (a.length === b.length && a < b);
  if (low.whole.length > EXACT_DIGITS || below(high.whole, low.whole)) return e.choice();
  const room = (whole: string): number => Math.min(most, EXACT_DIGITS - whole.length);
  if (low.whole === high.whole) return e.sequence(e.text(low.whole), point(e, room(low.whole), low, high));
  const parts = [e.sequence(e.text(low.whole), point(e, room(low.whole), low, undefined))];
  if (high.whole.length <= EXACT_DIGITS) {
    parts.push(e.sequence(e.text(high.whole), point(e, room(high.whole), undefined, high)));
  }
  const first = String(Number(low.whole) + 1);
  const last = String(Number(high.whole) - 1);
  if (!below(last, first)) {
    integersBetween(e, first, last).forEach((wholes, i) => {
      const places = Math.min(most, EXACT_DIGITS - first.length - i);
      parts.push(e.sequence(wholes, point(e, places, undefined, undefined)));
    });
  }
  return e.choice(...parts);
}

/** What follows the digits before the point, which are those of the bounds given. */
function point(e: Expressions, places: number, low: Decimal | undefined, high: Decimal | undefined): Expression {
  const none = fits('', low, high) ? e.text('') : e.choice();
  return e.choice(none, e.sequence(e.text('.'), decimalPlaces(e, places, '', low, high)));
}

/** One or more decimals after `before`, which are the first of every bound that is still given. */
function decimalPlaces(
  e: Expressions,
  places: number,
  before: string,
  low: Decimal | undefined,
  high: Decimal | undefined,
): Expression {
  if (places === 0) return e.choice();
  if (low === undefined && high === undefined) return digits(e, 1, places);
  const digitOf = (bound: Decimal | undefined, other: number): number =>
    bound === undefined ? other : Number(bound.fraction[before.length] ?? 0);
  const [l, h] = [digitOf(low, 0), digitOf(high, 9)];
  const choices: Expression[] = [];
  for (let digit = l; digit <= h; digit++) {
    const text = before + String(digit);
    const [atLow, atHigh] = [digit === l ? low : undefined, digit === h ? high : undefined];
    const end = fits(text, atLow, atHigh) ? e.text('') : e.choice();
    choices.push(e.sequence(e.text(String(digit)), e.choice(end, decimalPlaces(e, places - 1, text, atLow, atHigh))));
  }
  return e.choice(...choices);
}

function fits(fraction: string, low: Decimal | undefined, high: Decimal | undefined): boolean {
  const value = fraction.replace(/0+$/, '');
  const above = low === undefined || value > low.fraction || (value === low.fraction && !low.exclusive);
  const under = high === undefined || value < high.fraction || (value === high.fraction && !high.exclusive);
  return above && under;
}
