import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';

/** Hexadecimal digits of the digest that are kept: 64 bits tell a few thousand texts apart. */
const DIGITS = 16;

/** A short digest of texts, to tell whether they changed: of SHA-256 over them as a JSON array, which keeps them apart. */
export function fingerprint(texts: readonly string[]): string {
  return bytesToHex(sha256(utf8ToBytes(JSON.stringify(texts)))).slice(0, DIGITS);
}
