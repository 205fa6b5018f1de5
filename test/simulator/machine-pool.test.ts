import { expect, it } from 'vitest';
import { buildCluster } from '../../src/cli/commands/simulate/build-cluster.js';
import { clusterSchema } from '../../src/simulator/cluster-file.js';
import { simulate } from '../../src/simulator/simulation.js';

const clusterOf = async (chip: string, more: object = {}) =>
  (await buildCluster(clusterSchema.parse({ model: 'llama-2-7b', pools: [{ name: 'one', chip, ...more }] }))).cluster;

it('has the whole SRAM of a GroqRack beside the weights, to the token, and refuses by name what needs one more', async () => {
  const rack = await clusterOf('groqrack');
  const [{ blocks, blockTokens, maxSequences }] = rack.pools;
  // 72 chips of 230 MB less 2 x 6,738,415,616 bytes of weights, over 0.524288 MB a token.
  expect([blocks * blockTokens, maxSequences]).toEqual([5880, 1]);
  const requests = [4998, 4999, 100].map((promptTokens, index) => ({
    index,
    arrival: 0,
    promptTokens,
    outputTokens: 883, // the last token's keys and values are not kept
  }));
  const { traces, machines } = simulate(rack, requests);
  expect(traces.map(({ status }) => status)).toEqual(['completed', 'refused', 'completed']);
  expect(traces[1].refusal).toBe('it needs 5881 tokens of KV cache, and a machine of one has 5880');
  expect(machines[0].freeBlocks).toBe(5880);
});

it('has nine tenths of a GPU’s memory for weights and cache, in blocks of 16 unless said', async () => {
  const tokens = Math.floor((0.9 * 80 * 2 ** 30 - 2 * 6_738_415_616) / (2 * 2 * 32 * 4096));
  const [usual] = (await clusterOf('h100-sxm')).pools;
  expect([usual.blocks, usual.blockTokens]).toEqual([Math.floor(tokens / 16), 16]);
  const [asked] = (await clusterOf('groqrack', { block_tokens: 32 })).pools;
  expect([asked.blocks, asked.blockTokens]).toEqual([Math.floor(5880 / 32), 32]);
});
