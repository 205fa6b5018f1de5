import type { TokenConstraint } from '../../src/engine/api.js';
import { tokenVocabulary, type TokenVocabulary } from '../../src/tokenizer/vocabulary.js';
import { byteLevel, llama2, tinyTales } from '../tokenizer/folders.js';

const encoder = new TextEncoder();

/** A vocabulary of the given pieces after the 256 single bytes, and an end-of-sequence id after them. */
export function vocabularyOf(pieces: readonly (string | Uint8Array)[], bytes = allBytes()): TokenVocabulary {
  const tokens = [
    ...bytes.map((byte) => Uint8Array.of(byte)),
    ...pieces.map((piece) => (typeof piece === 'string' ? encoder.encode(piece) : piece)),
  ];
  return { size: tokens.length + 1, eosIds: [tokens.length], bytes: (id) => tokens[id] };
}

export function allBytes(): number[] {
  return Array.from({ length: 256 }, (_, byte) => byte);
}

/** Pieces that go wrong where tokens cross the parts of a text, or end inside a character or an escape. */
export const awkward = vocabularyOf([
  '{"', '":', '": "', '", "', '","', '"}', '"}]', ']}', '}}', '[[', ']]', '[]', '{}', '""', '"a', 'a"', '",', ', ', ': ',
  ' "', '\n"', '\n ', '  ', 'true', 'fals', 'tru', 'null', 'nul', '1,', '12', '00', '-1', '0.', '.5', 'e+', 'e1', '9]', '1}',
  '\\u', '\\u00', '\\ud83d', '\\ude00', 'd83d\\u', '\\n', '\\"', '\\\\', '\\', 'ab', 'abc', 'b', 'kind', 'e', 'é', '日本', '😀',
  Uint8Array.of(0xc3), Uint8Array.of(0xf0, 0x9f), Uint8Array.of(0x98, 0x80), Uint8Array.of(0x9f, 0x98, 0x80, 0x22),
  Uint8Array.of(0xe6, 0x97), Uint8Array.of(0xa5, 0xe6), Uint8Array.of(0xed, 0xa0), Uint8Array.of(0xc0, 0x80),
  '2024', '-02', '-29', 'T12:', '00Z',
]); // prettier-ignore

export const vocabularies: readonly (readonly [string, TokenVocabulary])[] = [
  ['awkward pieces', awkward],
  ['tiny-tales', tokenVocabulary(tinyTales.tokenizer)],
  ['byte-level', tokenVocabulary(byteLevel.tokenizer)],
  ...(llama2 === undefined ? [] : [['Llama 2', tokenVocabulary(llama2.tokenizer)] as const]),
];

export function isAllowed(mask: Uint32Array, id: number): boolean {
  return ((mask[id >> 5] >>> (id & 31)) & 1) === 1;
}

export function allowedIds(constraint: TokenConstraint): number[] {
  const ids: number[] = [];
  constraint.allowed().forEach((word, i) => {
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) ids.push(i * 32 + bit);
  });
  return ids;
}

/** Whether a constraint takes a text byte by byte, and the end after it. Needs all bytes in the vocabulary. */
export function takes(constraint: TokenConstraint, vocabulary: TokenVocabulary, text: string): boolean {
  for (const byte of encoder.encode(text)) {
    const id = idOfByte(vocabulary, byte);
    if (!isAllowed(constraint.allowed(), id)) return false;
    constraint.accept(id);
  }
  return isAllowed(constraint.allowed(), vocabulary.eosIds[0]);
}

const byteIds = new WeakMap<TokenVocabulary, number[]>();

export function idOfByte(vocabulary: TokenVocabulary, byte: number): number {
  let ids = byteIds.get(vocabulary);
  if (ids === undefined) {
    ids = [];
    for (let id = vocabulary.size - 1; id >= 0; id--) {
      const bytes = vocabulary.bytes(id);
      if (bytes?.length === 1) ids[bytes[0]] = id;
    }
    byteIds.set(vocabulary, ids);
  }
  return ids[byte];
}
