/** UTF-16 units of a stretch. */
const STRETCH = 2048;

/** Parts of a text that are short enough to be worked on at once; no character is cut. */
export function* stretches(text: string): Generator<string, void> {
  for (let begin = 0; begin < text.length;) {
    let end = begin + STRETCH;
    if ((text.charCodeAt(end) & 0xfc00) === 0xdc00) end++;
    yield text.slice(begin, end);
    begin = end;
  }
}
