import { RidgepointError } from '../errors.js';

/** One request of a trace in Mooncake's format (kvcache-ai/Mooncake, FAST 2025): its prompt as hashes of blocks of 512. */
export interface MooncakeRow {
  readonly timestampMs: number;
  readonly inputLength: number;
  readonly outputLength: number;
  readonly hashIds: readonly number[];
}

/** Tokens that one hash stands for. */
export const MOONCAKE_BLOCK = 512;

/** @throws RidgepointError naming the line */
export function parseMooncake(text: string, name: string): MooncakeRow[] {
  const rows = text.split('\n').flatMap((line, index): MooncakeRow[] => {
    if (line.trim() === '') return [];
    const bad = (why: string): never => {
      throw new RidgepointError('usage', `${name}: line ${index + 1}: ${why}`);
    };
    let row: Record<string, unknown>;
    try {
      row = JSON.parse(line) as Record<string, unknown>;
    } catch {
      return bad('is not JSON');
    }
    const { timestamp, input_length: input, output_length: output, hash_ids: hashes } = row;
    const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 1;
    if (typeof timestamp !== 'number' || !isCount(input) || !isCount(output)) {
      return bad('expected timestamp in ms, input_length and output_length in tokens');
    }
    if (!Array.isArray(hashes) || !hashes.every(Number.isSafeInteger)) return bad('hash_ids is no list of numbers');
    return [{ timestampMs: timestamp, inputLength: input, outputLength: output, hashIds: hashes as number[] }];
  });
  if (rows.length === 0) throw new RidgepointError('usage', `${name}: there are no requests`);
  return rows.sort((a, b) => a.timestampMs - b.timestampMs);
}

/**
 * Names of the blocks of a cache that a prompt fills: each hash names all the blocks within its 512 tokens. A last block
 * that the prompt does not fill has no name.
 */
export function blocksOfHashes({ inputLength, hashIds }: MooncakeRow, blockTokens: number): string[] {
  const names: string[] = [];
  for (let from = 0; from + blockTokens <= inputLength; from += blockTokens) {
    const hash = hashIds[Math.floor(from / MOONCAKE_BLOCK)];
    if (hash === undefined) break;
    names.push(`${hash}:${from % MOONCAKE_BLOCK}`);
  }
  return names;
}
