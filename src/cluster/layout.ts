import type { KvLayout, KvNumerics } from '../engine/kv-transfer.js';

const WORDS: Readonly<Record<keyof KvLayout, string>> = {
  checkpoint: 'another checkpoint',
  layers: 'another number of layers',
  kvHeads: 'another number of KV heads',
  headDim: 'another head dimension',
  blockTokens: 'blocks of another size',
  kvDtype: 'another format of keys and values',
  rope: 'another rotary embedding',
};

/** Why two engines cannot exchange keys and values, in words; undefined where they can. */
export function layoutDifference(ours: KvLayout, theirs: KvLayout): string | undefined {
  const different = (Object.keys(WORDS) as (keyof KvLayout)[]).find((key) => ours[key] !== theirs[key]);
  if (different === undefined) return undefined;
  return `${WORDS[different]} (${ours[different]} here, ${theirs[different]} there)`;
}

/** Whether two engines of one layout compute the same to the last bit; else their ids are only likely to be equal. */
export function sameNumbers(ours: KvNumerics, theirs: KvNumerics): boolean {
  return (Object.keys(ours) as (keyof KvNumerics)[]).every((key) => ours[key] === theirs[key]);
}
