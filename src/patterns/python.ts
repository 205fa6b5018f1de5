const LETTERS = 'bBdDsSwWfnrtv';
const FLAGS: Readonly<Record<string, string>> = { i: 'i', m: 'm', s: 's', a: '', u: '' };

/**
 * The expression that JavaScript has for one of Python's `re`, which differ in what may stand behind "\", in braces and
 * brackets for themselves, in names of groups and in where flags are written.
 *
 * @throws Error saying what there is no expression for
 */
export function pythonPattern(source: string): RegExp {
  let at = 0;
  let result = '';
  const flags = new Set('u');
  const taken = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const found = expression.exec(source);
    if (found !== null) at += found[0].length;
    return found;
  };

  const global = taken(/\(\?([a-zA-Z]+)\)/y);
  for (const flag of global?.[1] ?? '') {
    if (!Object.hasOwn(FLAGS, flag)) throw new Error(`the flag "${flag}" is not supported`);
    if (FLAGS[flag] !== '') flags.add(FLAGS[flag]);
  }

  /** What stands behind "\". */
  function escaped(inSet: boolean): string {
    const hex = taken(/x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})/y);
    if (hex !== null) return `\\u{${hex[1] ?? hex[2] ?? hex[3]}}`;
    const octal = taken(/0[0-7]{0,2}|[1-3][0-7]{2}/y);
    if (octal !== null) return `\\u{${parseInt(octal[0], 8).toString(16)}}`;
    const [character] = source.slice(at);
    if (character === undefined) throw new Error('it ends behind "\\"');
    at += character.length;
    if (character === 'a') return '\\x07';
    if (character === 'b' && inSet) return '\\x08';
    if (!inSet && character === 'A') return '(?<![^])';
    if (!inSet && character === 'Z') return '(?![^])';
    if (/[1-9]/.test(character) || (LETTERS.includes(character) && !(inSet && character === 'B'))) {
      return `\\${character}`;
    }
    if (/[a-zA-Z]/.test(character)) throw new Error(`Python knows no "\\${character}"`);
    return literal(character, inSet);
  }

  const literal = (character: string, inSet: boolean): string =>
    (inSet ? /[\\\]^[-]/ : /[$()*+.?[\\\]^{|}/]/).test(character) ? `\\${character}` : character;

  /** A set behind its "[". */
  function set(): string {
    let inside = taken(/\^/y) === null ? '' : '^';
    for (let first = true; ; first = false) {
      if (at >= source.length) throw new Error('a set has no end');
      const [character] = source.slice(at);
      at += character.length;
      if (character === ']' && !first) return `[${inside}]`;
      if (character === '\\') inside += escaped(true);
      else inside += character === '-' ? character : literal(character, true);
    }
  }

  while (at < source.length) {
    if (taken(/\(\?#[^)]*\)/y) !== null) continue;
    if (taken(/\(\?P</y) !== null) result += '(?<';
    else if (taken(/\(\?P=|\(\?\(/y) !== null) throw new Error('it refers back to what a group has matched');
    else if (taken(/\(\?(?![:=!]|<[=!])/y) !== null) throw new Error('it has a kind of group that is not supported');
    else {
      const times = taken(/\{(\d*)(,?)(\d*)\}/y);
      if (times !== null) {
        const [written, from, comma, to] = times;
        result += from + comma + to === '' ? written.replace(/[{}]/g, '\\$&') : `{${from || 0}${comma}${to}}`;
        continue;
      }
      const [character] = source.slice(at);
      at += character.length;
      if (character === '\\') result += escaped(false);
      else if (character === '[') result += set();
      // Python's is also in front of a line's end at the end of all.
      else if (character === '$' && !flags.has('m')) result += '(?=\\n?(?![^]))';
      else if (character === '.') result += flags.has('s') ? '[^]' : '[^\\n]';
      else if (/[{}\]]/.test(character)) result += `\\${character}`;
      else result += character;
    }
  }
  return new RegExp(result, [...flags].join(''));
}
