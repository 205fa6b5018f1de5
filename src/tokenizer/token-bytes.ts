import { isObject, malformed, TOKENIZER_FILE } from './files.js';

/**
 * What a tokenizer's `decoder` amounts to: every token stands for some bytes, the bytes are joined and read as UTF-8,
 * and a few blanks that the encoder put in front of the text are taken away again. That holds for every decoder a
 * Llama checkpoint uses (metaspace with byte fallback, byte-level), and it makes decoding token by token exact.
 */
export interface TokenBytes {
  /** The bytes of one piece; `added` says that it is an added token, which byte-level decoders take literally. */
  bytes(piece: string, added: boolean): Uint8Array;
  /** Characters to drop from the start of the whole text, at most so many. */
  readonly strip: LeadingStrip;
}

export interface LeadingStrip {
  readonly content: string;
  readonly count: number;
}

type Transform = (piece: string) => string;

const utf8 = new TextEncoder();

/** Reads the `decoder` of a `tokenizer.json`. @throws RidgepointError naming a decoder that is not supported */
export function tokenBytes(decoder: unknown): TokenBytes {
  const transforms: Transform[] = [];
  let strip: LeadingStrip = { content: ' ', count: 0 };
  let byteFallback = false;
  let byteLevel = false;
  let fused = false;

  for (const step of flatten(decoder)) {
    switch (step['type']) {
      case 'Replace': {
        const pattern = isObject(step['pattern']) ? step['pattern']['String'] : undefined;
        const content = step['content'];
        if (typeof pattern !== 'string' || typeof content !== 'string' || fused) unsupported(step);
        transforms.push((piece) => piece.replaceAll(pattern, () => content));
        break;
      }
      case 'Metaspace': {
        const replacement = typeof step['replacement'] === 'string' ? step['replacement'] : '▁';
        transforms.push((piece) => piece.replaceAll(replacement, ' '));
        const prepended = step['prepend_scheme'] !== 'never' && step['add_prefix_space'] !== false;
        strip = { content: ' ', count: prepended ? 1 : 0 };
        break;
      }
      case 'ByteFallback':
        byteFallback = true;
        break;
      case 'Fuse':
        fused = true;
        break;
      case 'Strip': {
        const { content, start = 0, stop = 0 } = step;
        if (typeof content !== 'string' || typeof start !== 'number' || stop !== 0 || !fused) unsupported(step);
        strip = { content, count: start };
        break;
      }
      case 'ByteLevel':
        byteLevel = true;
        break;
      default:
        unsupported(step);
    }
  }

  return {
    strip,
    bytes(piece, added) {
      if (byteFallback) {
        const byte = /^<0x([0-9a-f]{2})>$/i.exec(piece);
        if (byte) return Uint8Array.of(parseInt(byte[1], 16));
      }
      const text = transforms.reduce((result, transform) => transform(result), piece);
      return (byteLevel && !added ? byteLevelBytes(text) : undefined) ?? utf8.encode(text);
    },
  };
}

function flatten(decoder: unknown): Record<string, unknown>[] {
  if (!isObject(decoder))
    malformed(TOKENIZER_FILE, '"decoder" is missing; without it tokens cannot be turned into text');
  if (decoder['type'] !== 'Sequence') return [decoder];
  const steps = decoder['decoders'];
  if (!Array.isArray(steps)) malformed(TOKENIZER_FILE, 'a "decoder" of type "Sequence" must list "decoders"');
  return steps.flatMap(flatten);
}

function unsupported(step: Record<string, unknown>): never {
  malformed(
    TOKENIZER_FILE,
    `decoder ${JSON.stringify(step)} is not supported; Llama tokenizers use metaspace or byte-level`,
  );
}

let byteOfCharacter: Map<string, number> | undefined;

/**
 * GPT-2's byte-level alphabet: printable bytes of Latin-1 stand for themselves, the others for U+0100 onwards in
 * order. Undefined for a piece with a character outside it.
 */
function byteLevelBytes(piece: string): Uint8Array | undefined {
  if (byteOfCharacter === undefined) {
    byteOfCharacter = new Map();
    let next = 0x100;
    for (let byte = 0; byte < 256; byte++) {
      const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
      byteOfCharacter.set(String.fromCharCode(printable ? byte : next++), byte);
    }
  }
  const bytes = new Uint8Array(piece.length); // every character of the alphabet is one UTF-16 unit
  for (let i = 0; i < piece.length; i++) {
    const byte = byteOfCharacter.get(piece[i]);
    if (byte === undefined) return undefined;
    bytes[i] = byte;
  }
  return bytes;
}
