import { escapedAt, readSet, asInSet, WORD } from './oniguruma-set.js';
import { compileTree, type Program } from './program.js';
import { ANY, eitherOf, edge, look, alternativesOf, set, type Node } from './tree.js';

const BREAK = set('\\n');
/** A word's characters where words end: there the digits that are raised, and fractions, count, too. */
const WORD_SET = `[${WORD}\\xb2\\xb3\\xb9\\xbc-\\xbe]`;
const GROUP = /^\((?:\?(?:(<?)([=!])|[:>]|(i):|<[A-Za-z_]\w*>))?/;
const TIMES = /^\{(\d*)(?:(,)(\d*))?\}/;
const LETTER = /^[A-Za-z]$/;

/** A group that is open. */
interface Open {
  readonly alternatives: Node[][];
  readonly close: (inner: Node) => Node;
  /** Whether letters stood for both cases before it. */
  readonly folds: boolean;
}

/**
 * Reads an expression of Oniguruma's, in whose words `tokenizer.json` is written. Groups that keep what they matched
 * (`(?>a)`, `a++`) are read as those that give back: the patterns of tokenizers find the same by either.
 *
 * @throws Error saying what of it cannot be read, or cannot be matched in linear time
 */
function parseOniguruma(text: string): Node {
  const open: Open[] = [{ alternatives: [[]], close: (inner) => inner, folds: false }];
  let folds = false;
  /** Whether the last part says already how often it is to be found. */
  let counted = false;
  let at = 0;

  const row = (): Node[] => open.at(-1)!.alternatives.at(-1)!;
  const add = (node: Node, length: number): void => {
    row().push(node);
    counted = false;
    at += length;
  };
  const repeat = (min: number, max: number): void => {
    const item = row().pop();
    if (item === undefined) throw new Error('something is to be repeated, and nothing is there');
    if (max < min) throw new Error('a repetition ends before it begins');
    const lazy = text[at] === '?';
    if (lazy) at++;
    row().push({ kind: 'repeat', item, min, max, lazy });
    counted = true;
  };
  const character = (code: number): Node => {
    const letter = String.fromCodePoint(code);
    return set(folds && LETTER.test(letter) ? `[${letter.toLowerCase()}${letter.toUpperCase()}]` : asInSet(code));
  };

  function escape(): void {
    const letter = text[at + 1];
    const anchor = anchorOf(letter);
    if (anchor !== undefined) return add(anchor, 2);
    if (letter === 'G') return void (at += 2);
    if (/[1-9k]/.test(letter ?? '')) throw new Error('it refers back to what a group has matched');
    const escaped = escapedAt(text, at);
    if (escaped === undefined) throw new Error(`"\\${letter}" is not known here`);
    const { what, end } = escaped;
    if ('code' in what) return add(character(what.code), end - at);
    const whole = what.inside === WORD ? WORD_SET : what.inside === `[^${WORD}]` ? `[^${WORD_SET}]` : undefined;
    add(set(whole ?? `[${what.inside}]`), end - at);
  }

  function group(): void {
    const found = GROUP.exec(text.slice(at));
    if (found === null || (found[0] === '(' && text[at + 1] === '?')) {
      throw new Error('it has a kind of group that is not supported');
    }
    const [written, behind, sign, insensitive] = found;
    const close = (inner: Node): Node => (sign === undefined ? inner : look(inner, behind === '<', sign === '!'));
    open.push({ alternatives: [[]], close, folds });
    folds ||= insensitive === 'i';
    counted = false;
    at += written.length;
  }

  function times(): void {
    const found = TIMES.exec(text.slice(at));
    const [written, from, comma, to] = found ?? [''];
    if (found === null || (from === '' && !to) || row().length === 0) return add(character(0x7b), 1);
    at += written.length;
    const most = comma === undefined ? Number(from) : to === '' ? Infinity : Number(to);
    repeat(Number(from), most);
    // Here a sign behind it repeats all of that.
    if (/^[+*]/.test(text.slice(at))) counted = false;
  }

  while (at < text.length) {
    const sign = text[at];
    if (sign === '\\') escape();
    else if (sign === '[') {
      const { source, end } = readSet(text, at, folds);
      add(set(source), end - at);
    } else if (sign === '.') add(set('[^\\n]'), 1);
    else if (sign === '^') add(eitherOf(look(ANY, true, true), look(BREAK, true, false)), 1);
    else if (sign === '$') add(eitherOf(look(BREAK, false, false), look(ANY, false, true)), 1);
    else if (sign === '(') group();
    else if (sign === ')') {
      const inner = open.pop()!;
      if (open.length === 0) throw new Error('it closes a group that is not open');
      ({ folds } = inner);
      add(inner.close(alternativesOf(inner.alternatives)), 1);
    } else if (sign === '|') {
      open.at(-1)!.alternatives.push([]);
      at++;
    } else if (sign === '{') times();
    else if (sign === '+' && counted) at++;
    else if (sign === '+' || sign === '*' || sign === '?') {
      if (counted) throw new Error('something is to be repeated, and nothing is there');
      at++;
      repeat(sign === '+' ? 1 : 0, sign === '?' ? 1 : Infinity);
    } else {
      const code = text.codePointAt(at)!;
      add(character(code), code > 0xffff ? 2 : 1);
    }
  }
  if (open.length > 1) throw new Error('a group has no end');
  return alternativesOf(open[0].alternatives);
}

/** Places that are told by what stands around them. */
function anchorOf(letter: string | undefined): Node | undefined {
  switch (letter) {
    case 'A':
      return look(ANY, true, true);
    case 'z':
      return look(ANY, false, true);
    case 'Z': {
      const end = look(ANY, false, true);
      return eitherOf(end, look({ kind: 'sequence', items: [BREAK, end] }, false, false));
    }
    case 'b':
    case 'B':
      return edge(set(WORD_SET), letter === 'B');
  }
  return undefined;
}

/** @throws Error for an expression that cannot be read, is too long, or cannot be matched in linear time */
export function compileOniguruma(text: string): Program {
  return compileTree(parseOniguruma(text), 'v');
}
