/**
 * GPT-2's byte-level alphabet, a character for each byte: printable bytes of Latin-1 stand for themselves, the others
 * for U+0100 onwards in order.
 */
export const BYTE_CHARACTERS: readonly string[] = ((): string[] => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return String.fromCharCode(printable ? byte : next++);
  });
})();

const utf8 = new TextEncoder();

/** A text's UTF-8 bytes in that alphabet. */
export function byteLevelText(text: string): string {
  if (/^[\x21-\x7e]*$/.test(text)) return text;
  let result = '';
  for (const byte of utf8.encode(text)) result += BYTE_CHARACTERS[byte];
  return result;
}
