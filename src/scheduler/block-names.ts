import { sha256 } from '@noble/hashes/sha2.js';

/**
 * Names of the full blocks of a prompt: each is a hash of its tokens and of the name before, so that equal names mean
 * equal tokens from the first on. A cryptographic hash, because whoever could make two prompts collide would read
 * another user's.
 *
 * @param blockTokens tokens of a block
 * @returns one name for each block that the prompt fills
 */
export function blockNames(tokens: ArrayLike<number>, blockTokens: number): string[] {
  const names: string[] = [];
  const content = new Uint8Array(32 + 4 * blockTokens);
  const view = new DataView(content.buffer);
  for (let from = 0; from + blockTokens <= tokens.length; from += blockTokens) {
    for (let i = 0; i < blockTokens; i++) view.setUint32(32 + 4 * i, tokens[from + i], true);
    const digest = sha256(content);
    names.push(String.fromCharCode(...digest));
    content.set(digest, 0);
  }
  return names;
}
