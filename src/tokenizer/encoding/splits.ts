/** What becomes of the matches a text is split at, in the Rust library's words. */
export const BEHAVIOURS = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

interface Part {
  readonly begin: number;
  readonly end: number;
  readonly match: boolean;
}

/** Matches of an expression and what lies between them, in order. */
function* partsOf(text: string, regex: RegExp, invert: boolean): Generator<Part, void> {
  let done = 0;
  for (let from = 0; from <= text.length;) {
    regex.lastIndex = from; // another text may have been searched meanwhile
    const found = regex.exec(text);
    if (found === null) break;
    const begin = found.index;
    const end = begin + found[0].length;
    if (begin > done) yield { begin: done, end: begin, match: invert };
    yield { begin, end, match: !invert };
    done = end;
    from = end > begin ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
  if (done < text.length) yield { begin: done, end: text.length, match: invert };
}

/** A function that cuts a text at the matches of an expression with the flags `gu`. */
export function splitter(regex: RegExp, behaviour: Behaviour, invert: boolean): (text: string) => Iterable<string> {
  return function* (text) {
    let begin = 0;
    let end = 0;
    let matchBefore = false;
    let open = false;
    for (const part of partsOf(text, regex, invert)) {
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
