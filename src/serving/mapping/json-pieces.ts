/** Characters of a piece, about. */
const PIECE = 16 * 1024;
/** Values below so many levels are small enough to be written at once: the parts of one token. */
const DEEPEST = 5;

/**
 * JSON of a value, piece by piece, since an answer of many tokens and log-probabilities is tens of megabytes, and
 * writing it at once would stop everybody else. What can be iterated and is no array counts as one whose items are made
 * when they are written.
 */
export function* jsonPieces(value: unknown): Generator<string> {
  let piece = '';
  for (const part of parts(value, 0)) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

function* parts(value: unknown, depth: number): Generator<string> {
  if (typeof value !== 'object' || value === null || depth === DEEPEST) {
    yield JSON.stringify(value) ?? 'null';
  } else if (Symbol.iterator in value) {
    let before = '[';
    for (const item of value as Iterable<unknown>) {
      yield before;
      before = ',';
      yield* parts(item, depth + 1);
    }
    yield before === '[' ? '[]' : ']';
  } else {
    let before = '{';
    for (const [key, item] of Object.entries(value) as [string, unknown][]) {
      if (item === undefined) continue;
      yield `${before}${JSON.stringify(key)}:`;
      before = ',';
      yield* parts(item, depth + 1);
    }
    yield before === '{' ? '{}' : '}';
  }
}
