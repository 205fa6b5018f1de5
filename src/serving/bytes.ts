/** Bytes of a text as UTF-8, without making them. A half of a pair counts three, as what stands for it does. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x80) continue;
    bytes++;
    if (code < 0x800) continue;
    // Two halves of a pair are four bytes together.
    if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00) at++;
    bytes++;
  }
  return bytes;
}
