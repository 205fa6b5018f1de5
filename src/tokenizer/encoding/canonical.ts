/**
 * Unicode's normal forms, a stretch at a time. JavaScript's own takes a time that grows with the square of how many
 * marks stand behind one letter, and all of a text at once: four seconds for 60,000 marks.
 */

export type NormalForm = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/** UTF-16 units between two pauses. */
const STEP = 2048;
/** So many marks in a row are put in order here. */
const MANY_MARKS = /\p{M}{32,}/gu;
/** Characters that no character before them has to do with, so that a text can be cut in front of them. */
const APART =
  /[\x00-\x7e\u00c0-\u024f\u0391-\u03ff\u0400-\u0481\u05d0-\u05ea\u0620-\u064a\u0904-\u0939\u0e01-\u0e2e\u3041-\u3096\u30a1-\u30fa\u3400-\u9fff\uac00-\ud7a3]/g;

export function* normalForm(text: string, form: NormalForm): Generator<void, string> {
  let result = '';
  for (let begin = 0; begin < text.length;) {
    APART.lastIndex = begin + STEP;
    const end = APART.exec(text)?.index ?? text.length;
    result += (yield* inOrder(text.slice(begin, end), form)).normalize(form);
    begin = end;
    yield;
  }
  return result;
}

/** The same text with the marks of long rows in Unicode's order. */
function* inOrder(text: string, form: NormalForm): Generator<void, string> {
  let result = '';
  let done = 0;
  for (const { 0: marks, index } of text.matchAll(MANY_MARKS)) {
    result += text.slice(done, index) + (yield* ordered(marks, form));
    done = index + marks.length;
  }
  return result + text.slice(done);
}

/** Sorts each row between two marks that stay where they are, by class, keeping those of one class as they are. */
function* ordered(marks: string, form: NormalForm): Generator<void, string> {
  const decomposition = form.startsWith('NFK') ? 'NFKD' : 'NFD';
  let result = '';
  let rows = new Map<number, string[]>();
  const flush = (): void => {
    for (const rank of [...rows.keys()].sort((a, b) => a - b)) result += rows.get(rank)!.join('');
    rows = new Map();
  };
  let count = 0;
  for (const composed of marks) {
    for (const mark of composed.normalize(decomposition)) {
      const rank = rankOf(mark);
      if (rank === 0) {
        flush();
        result += mark;
      } else {
        const row = rows.get(rank);
        if (row === undefined) rows.set(rank, [mark]);
        else row.push(mark);
      }
    }
    if (++count % STEP === 0) yield;
  }
  flush();
  return result;
}

/** A mark of each class that has been met, in their order. JavaScript does not tell the class of a mark. */
const classes: string[] = [];
const ranks = new Map<string, number>();
const LOWEST = '\u0334';
const HIGH = '\u0301';

const moves = (first: string, second: string): boolean => (first + second).normalize('NFD') === second + first;

/**
 * A number that grows with a mark's class; 0 for a mark that no other is moved across. Marks that are met later come
 * between, so ranks are fractions.
 */
function rankOf(mark: string): number {
  const known = ranks.get(mark);
  if (known !== undefined) return known;
  let rank = 0;
  if (mark === HIGH || mark === LOWEST || moves(mark, LOWEST) || moves(HIGH, mark)) {
    let low = 0;
    let high = classes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (moves(mark, classes[middle])) low = middle + 1;
      else high = middle;
    }
    const next = classes[low] as string | undefined;
    if (next !== undefined && !moves(next, mark)) rank = ranks.get(next)!;
    else {
      const below = low === 0 ? 0 : ranks.get(classes[low - 1])!;
      rank = next === undefined ? below + 1 : (below + ranks.get(next)!) / 2;
      classes.splice(low, 0, mark);
    }
  }
  ranks.set(mark, rank);
  return rank;
}
