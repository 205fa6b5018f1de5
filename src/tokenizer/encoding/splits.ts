/** What becomes of the matches a text is split at, in the Rust library's words. */
export const BEHAVIOURS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

interface Part {
  readonly begin: number;
  readonly end: number;
  readonly match: boolean;
}

/** A search in one text, as `Search` is; undefined is a pause. */
export interface Finder {
  next(from: number): { readonly begin: number; readonly end: number } | null | undefined;
}

/** An expression with the flags `gu` that is known to take a time that grows with the text's length. */
export const plainFinder =
  (regex: RegExp) =>
  (text: string): Finder => ({
    next(from) {
      regex.lastIndex = from; // another text may have been searched meanwhile
      const found = regex.exec(text);
      return found && { begin: found.index, end: found.index + found[0].length };
    },
  });

/** An expression for a text as it stands. */
export function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'), 'gu');
}

/** Matches and what lies between them, in order; undefined is a pause. */
export function* partsOf(text: string, finder: Finder, invert: boolean): Generator<Part | undefined, void> {
  let done = 0;
  for (let from = 0; from <= text.length;) {
    const found = finder.next(from);
    if (found === undefined) {
      yield undefined;
      continue;
    }
    if (found === null) break;
    const { begin, end } = found;
    if (begin > done) yield { begin: done, end: begin, match: invert };
    yield { begin, end, match: !invert };
    done = end;
    from = end > begin ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  if (done < text.length) yield { begin: done, end: text.length, match: invert };
}

/** A function that cuts a text at the matches of an expression; undefined is a pause. */
export function splitter(
  finderOf: (text: string) => Finder,
  behaviour: Behaviour,
  invert: boolean,
): (text: string) => Iterable<string | undefined> {
  return function* (text) {
    let begin = 0;
    let end = 0;
    let matchBefore = false;
    let open = false;
    for (const part of partsOf(text, finderOf(text), invert)) {
      if (part === undefined) {
        yield undefined;
        continue;
      }
      const { match } = part;
      if (behaviour === 'Removed' && match) {
        if (open && end > begin) yield text.slice(begin, end);
        else if (part.begin === 0) yield '';
        open = false;
        continue;
      }
      const joins =
        behaviour === 'Contiguous'
          ? match === matchBefore
          : behaviour === 'MergedWithPrevious'
            ? match && !matchBefore
            : behaviour === 'MergedWithNext' && matchBefore && !match;
      if (open && !joins && end > begin) yield text.slice(begin, end);
      if (!open || !joins) begin = part.begin;
      end = part.end;
      open = true;
      matchBefore = match;
    }
    if (open && end > begin) yield text.slice(begin, end);
  };
}
