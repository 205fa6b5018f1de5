import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { blocksOfHashes, parseMooncake } from '../../src/simulator/mooncake.js';
import { simulate } from '../../src/simulator/simulation.js';
import { cluster, constantPrice, pool } from './support.js';

const TRACE = '../shared/data/traces/mooncake_conversation_trace.jsonl.gz';
const line = (hashes: number[], input: number): string =>
  JSON.stringify({ timestamp: 5, input_length: input, output_length: 2, hash_ids: hashes });

describe("a trace in Mooncake's format", () => {
  it('is refused by its line', () => {
    expect(() => parseMooncake('nonsense', 'm.jsonl')).toThrow('m.jsonl: line 1: is not JSON');
    expect(() => parseMooncake('{"timestamp":0,"input_length":0,"output_length":1,"hash_ids":[]}', 'm')).toThrow(
      'line 1',
    );
  });

  it('names the blocks that a prompt fills by its hashes', () => {
    const [row] = parseMooncake(line([7, 9], 800), 'm');
    const names = blocksOfHashes(row, 256);
    // 800 tokens fill three blocks of 256; the first two lie in the first hash.
    expect(names).toEqual(['7:0', '7:256', '9:0']);
  });
});

describe.skipIf(!existsSync(TRACE))("Mooncake's conversations (needs ../shared/data)", () => {
  it('hit an endless prefix cache as often as published: 36.6 % of the blocks', () => {
    const rows = parseMooncake(gunzipSync(readFileSync(TRACE)).toString('utf8'), 'trace');
    expect(rows).toHaveLength(12_031);
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(Math.round(mean(rows.map(({ inputLength }) => inputLength)))).toBe(12_035);
    expect(Math.round(mean(rows.map(({ outputLength }) => outputLength)))).toBe(343);
    // One after the other, with a place for every block there is: what hits is the block pool's own doing.
    const requests = rows.map((row, index) => ({
      index,
      arrival: index,
      promptTokens: row.inputLength,
      outputTokens: 1,
      blockNames: blocksOfHashes(row, 512),
    }));
    let [named, hits] = [0, 0];
    const machine = pool({
      price: constantPrice(1e-4),
      blocks: 300_000,
      blockTokens: 512,
      stepTokens: 1e6,
      maxSequences: 2,
    });
    const { machines } = simulate(cluster([machine]), requests, { keepTokens: false });
    hits = machines[0].prefixHitTokens / 512;
    // The published share counts every hash, a last block that is not full among them.
    named = rows.reduce((sum, { hashIds }) => sum + hashIds.length, 0);
    expect(Math.abs(hits / named - 0.366)).toBeLessThan(0.02);
  });
});
