/** A set being read: where its text goes on, and what it is so far, as the inside of a set of JavaScript's flag `v`. */
interface ReadSet {
  readonly inside: string;
  readonly negated: boolean;
  readonly end: number;
}

/** Characters of words, the inside of a set. */
export const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}';
const HEX = '0-9A-Fa-f';

const POSIX: Readonly<Record<string, string>> = {
  alpha: '\\p{Alphabetic}',
  alnum: '\\p{Alphabetic}\\p{Nd}',
  digit: '\\p{Nd}',
  lower: '\\p{Lowercase}',
  upper: '\\p{Uppercase}',
  space: '\\p{White_Space}',
  blank: '\\t\\p{Zs}',
  punct: '\\p{P}\\p{S}',
  cntrl: '\\p{Cc}',
  word: WORD,
  xdigit: HEX,
};

/** What stands for several characters behind "\\", the inside of a set. */
const SETS: Readonly<Record<string, string>> = {
  h: HEX,
  H: `[^${HEX}]`,
  w: WORD,
  W: `[^${WORD}]`,
  d: '\\p{Nd}',
  D: '\\P{Nd}',
  // JavaScript's \s has U+FEFF and lacks U+0085.
  s: '\\p{White_Space}',
  S: '\\P{White_Space}',
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, e: 27, b: 8, t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };

/** A character, or what stands for several of them. */
export type Escaped = { readonly code: number } | { readonly inside: string };

/** A character as it stands inside a set. */
export const asInSet = (code: number): string => `\\u{${code.toString(16)}}`;

/**
 * A property or script in JavaScript's words: there scripts are called so, and names have capitals where Oniguruma does
 * not mind.
 *
 * @throws Error for one that JavaScript does not know
 */
function propertyOf(name: string): string {
  const capital = name.toLowerCase().replace(/(?:^|_)[a-z]/g, (letter) => letter.toUpperCase());
  if (capital === 'Word') return WORD;
  for (const known of [name, capital, `Script=${name}`, `Script=${capital}`]) {
    try {
      new RegExp(`\\p{${known}}`, 'v');
      return `\\p{${known}}`;
    } catch {
      // Another way to say it may be known.
    }
  }
  throw new Error(`its property "${name}" is not known here`);
}

/** What "\\" at a place stands for, as far as it is one character or several; undefined for all else. */
export function escapedAt(text: string, at: number): { readonly what: Escaped; readonly end: number } | undefined {
  const rest = text.slice(at + 1, at + 80);
  const found = (length: number, what: Escaped) => ({ what, end: at + 1 + length });
  const property = /^([pP])\{(\^?)([^}]*)\}/.exec(rest);
  if (property !== null) {
    const [written, letter, not, name] = property;
    const inside = propertyOf(name);
    return found(written.length, { inside: (letter === 'P') === (not === '^') ? inside : `[^${inside}]` });
  }
  const hex = /^(?:[xu]\{([\da-fA-F]{1,8})\}|x([\da-fA-F]{2})|u([\da-fA-F]{4}))/.exec(rest);
  if (hex !== null) return found(hex[0].length, { code: parseInt(hex[1] ?? hex[2] ?? hex[3], 16) });
  const control = /^c([A-Za-z])/.exec(rest);
  if (control !== null) return found(2, { code: control[1].charCodeAt(0) & 31 });
  const code = rest.codePointAt(0);
  if (code === undefined) throw new Error('it ends behind "\\"');
  const letter = String.fromCodePoint(code);
  if (Object.hasOwn(SETS, letter)) return found(1, { inside: SETS[letter] });
  if (Object.hasOwn(CONTROLS, letter)) return found(1, { code: CONTROLS[letter] });
  return /[A-Za-z\d]/.test(letter) ? undefined : found(letter.length, { code });
}

/** Letters without an accent whose other case alone is in a set. */
function otherCases(inside: string): string {
  const set = new RegExp(`^[${inside}]$`, 'v');
  return Array.from('abcdefghijklmnopqrstuvwxyz', (lower) => {
    const upper = lower.toUpperCase();
    return set.test(lower) === set.test(upper) ? '' : set.test(lower) ? upper : lower;
  }).join('');
}

/**
 * Reads a set from its "[" on: ranges, sets inside, what several have in common by "&&", and POSIX's names.
 *
 * @param folds whether a letter without an accent stands for both its cases
 * @throws Error saying what of it cannot be read
 */
export function readSet(text: string, at: number, folds: boolean): { readonly source: string; readonly end: number } {
  const { inside, negated, end } = setAt(text, at, 0);
  const others = folds ? otherCases(inside) : '';
  return { source: `[${negated ? '^' : ''}${others === '' ? inside : `[${inside}]${others}`}]`, end };
}

function setAt(text: string, begin: number, depth: number): ReadSet {
  if (depth > 256) throw new Error('its sets stand too deep inside each other');
  const negated = text[begin + 1] === '^';
  const first = begin + (negated ? 2 : 1);
  const common: string[] = [];
  let inside = '';
  /** The last character, which a range may begin with. */
  let last: number | undefined;
  let at = first;
  const close = (): void => {
    if (inside === '') throw new Error('a set is empty');
    common.push(inside);
    inside = '';
    last = undefined;
  };
  const several = (more: string): void => {
    inside += more;
    last = undefined;
  };
  while (at < text.length) {
    const rest = text.slice(at, at + 40);
    if (rest.startsWith(']') && at > first) {
      close();
      // What JavaScript joins by "&&" has to be single sets.
      const all = common.length === 1 ? common[0] : common.map((one) => `[${one}]`).join('&&');
      return { inside: all, negated, end: at + 1 };
    }
    const posix = /^\[:(\^?)(\w+):\]/.exec(rest);
    if (posix !== null) {
      if (!Object.hasOwn(POSIX, posix[2])) throw new Error(`there is no set "${posix[2]}"`);
      const named = POSIX[posix[2]];
      several(posix[1] === '^' ? `[^${named}]` : named);
      at += posix[0].length;
    } else if (/^\[[.=:]/.test(rest) && /^\[([.=:])[^\]]*\1\]/.test(rest)) {
      throw new Error('it has a kind of set that is not supported');
    } else if (rest.startsWith('[')) {
      const inner = setAt(text, at, depth + 1);
      several(`[${inner.negated ? '^' : ''}${inner.inside}]`);
      at = inner.end;
    } else if (rest.startsWith('&&')) {
      close();
      at += 2;
    } else if (/^-(?!\]|&&)/.test(rest) && last !== undefined) {
      const to = characterAt(text, at + 1);
      if ('inside' in to.what || to.what.code < last) throw new Error('a range ends before it begins, or with a set');
      several(`-${asInSet(to.what.code)}`);
      at = to.end;
    } else {
      const { what, end } = characterAt(text, at);
      if ('inside' in what) several(what.inside);
      else {
        inside += asInSet(what.code);
        last = what.code;
      }
      at = end;
    }
  }
  throw new Error('a set has no end');
}

function characterAt(text: string, at: number): { readonly what: Escaped; readonly end: number } {
  if (text[at] === '[') return { what: { inside: '' }, end: at };
  if (text[at] !== '\\') {
    const code = text.codePointAt(at);
    if (code === undefined) throw new Error('a set has no end');
    return { what: { code }, end: at + (code > 0xffff ? 2 : 1) };
  }
  const escaped = escapedAt(text, at);
  if (escaped === undefined) throw new Error(`"${text.slice(at, at + 2)}" is not known in a set`);
  return escaped;
}
