import type { KvLayout, KvNumerics } from '../engine/kv-transfer.js';
import type { ExpectedLayout } from '../engine/text-layout.js';

const WORDS: Readonly<Record<keyof KvLayout, string>> = {
  checkpoint: 'another checkpoint',
  layers: 'another number of layers',
  kvHeads: 'another number of KV heads',
  headDim: 'another head dimension',
  blockTokens: 'blocks of another size',
  kvDtype: 'another format of keys and values',
  rope: 'another rotary embedding',
};

/**
 * Why two engines cannot exchange keys and values, in words; undefined where they can.
 *
 * @param ours as far as it is known
 */
export function layoutDifference(ours: Partial<KvLayout>, theirs: KvLayout): string | undefined {
  const different = (Object.keys(WORDS) as (keyof KvLayout)[]).find(
    (key) => ours[key] !== undefined && ours[key] !== theirs[key],
  );
  if (different === undefined) return undefined;
  return `${WORDS[different]} (${ours[different]} here, ${theirs[different]} there)`;
}

/** Why an engine is not one of the model that is expected, in words; undefined where it is. */
export function modelDifference({ checkpoints, ...ours }: ExpectedLayout, theirs: KvLayout): string | undefined {
  const checkpoint = checkpoints?.includes(theirs.checkpoint) === false ? checkpoints[0] : undefined;
  return layoutDifference({ ...ours, checkpoint }, theirs);
}

/** Whether two engines of one layout compute the same to the last bit; else their ids are only likely to be equal. */
export function sameNumbers(ours: KvNumerics, theirs: KvNumerics): boolean {
  return (Object.keys(ours) as (keyof KvNumerics)[]).every((key) => ours[key] === theirs[key]);
}
