import type { TokenVocabulary } from '../tokenizer/vocabulary.js';

/**
 * The tokens of a vocabulary by their bytes, in the order of a depth-first walk: a node's descendants are the nodes
 * after it up to `end[node]`. Node 0 is the root.
 */
export interface TokenTrie {
  /** Bytes from the root. */
  readonly depth: Uint8Array | Uint16Array;
  /** The byte that leads to the node. */
  readonly byte: Uint8Array;
  readonly end: Uint32Array;
  /** The ids of the tokens that end at the node are `ids[idStart[node]]` up to `ids[idStart[node + 1]]`. */
  readonly idStart: Uint32Array;
  readonly ids: Uint32Array;
  /** Bytes of the longest token. */
  readonly longest: number;
}

export function buildTokenTrie(vocabulary: TokenVocabulary): TokenTrie {
  const tokens: { readonly id: number; readonly bytes: Uint8Array }[] = [];
  for (let id = 0; id < vocabulary.size; id++) {
    const bytes = vocabulary.bytes(id);
    if (bytes !== undefined && bytes.length > 0 && !vocabulary.eosIds.includes(id)) tokens.push({ id, bytes });
  }
  tokens.sort((a, b) => compare(a.bytes, b.bytes));

  const depth = [0];
  const byte = [0];
  const idStart = [0];
  const ids: number[] = [];
  let previous: Uint8Array = new Uint8Array(0);
  for (const { id, bytes } of tokens) {
    for (let i = commonPrefix(previous, bytes); i < bytes.length; i++) {
      depth.push(i + 1);
      byte.push(bytes[i]);
      idStart.push(ids.length);
    }
    ids.push(id);
    previous = bytes;
  }
  idStart.push(ids.length);

  const end = new Uint32Array(depth.length);
  const open: number[] = [];
  for (let node = 0; node < depth.length; node++) {
    while (open.length > depth[node]) end[open.pop()!] = node;
    open.push(node);
  }
  for (const node of open) end[node] = depth.length;
  return {
    depth: Uint16Array.from(depth),
    byte: Uint8Array.from(byte),
    end,
    idStart: Uint32Array.from(idStart),
    ids: Uint32Array.from(ids),
    longest: Math.max(0, ...new Set(depth)),
  };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  const shared = commonPrefix(a, b);
  return shared < a.length && shared < b.length ? a[shared] - b[shared] : a.length - b.length;
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  let i = 0;
  while (i < a.length && i < b.length && a[i] === b[i]) i++;
  return i;
}
