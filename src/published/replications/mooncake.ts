import { POLICIES } from '../../scheduler/policies/index.js';
import { blocksOfHashes, MOONCAKE_BLOCK, parseMooncake } from '../../simulator/mooncake.js';
import { simulate } from '../../simulator/simulation.js';
import type { Replication } from './replication.js';

const TRACE = 'traces/mooncake_conversation_trace.jsonl.gz';

/** Mooncake's conversations through the scheduler's own block pool, one request after the other. */
export const mooncake: Replication = {
  name: 'mooncake',
  about: 'the conversation trace of Mooncake (kvcache-ai/Mooncake, Apache-2.0) on an endless prefix cache',
  files: [TRACE],
  run({ read }) {
    const rows = parseMooncake(read(TRACE), TRACE);
    const mean = (value: (row: (typeof rows)[number]) => number): number =>
      rows.reduce((sum, row) => sum + value(row), 0) / rows.length;
    const named = rows.reduce((sum, { hashIds }) => sum + hashIds.length, 0);
    // Every hash is a block here, the last of a prompt too, as those who published the share count.
    const requests = rows.map(({ hashIds }, index) => {
      const promptTokens = hashIds.length * MOONCAKE_BLOCK + 1;
      return {
        index,
        arrival: index,
        promptTokens,
        outputTokens: 1,
        blockNames: blocksOfHashes(
          { timestampMs: 0, inputLength: promptTokens, outputLength: 1, hashIds },
          MOONCAKE_BLOCK,
        ),
      };
    });
    const pool = {
      name: 'cache',
      role: 'both',
      count: 1,
      price: { seconds: () => 1e-4 },
      policy: POLICIES.chunked,
      blocks: named + 1000,
      blockTokens: MOONCAKE_BLOCK,
      maxSequences: 1,
      stepTokens: 1e6,
      depth: 1,
    } as const;
    const { machines } = simulate(
      { pools: [pool], router: { prefill: 'round-robin', decode: 'round-robin' } },
      requests,
      { keepTokens: false },
    );
    const hits = machines[0].prefixHitTokens / MOONCAKE_BLOCK;
    return [
      { figure: 'requests', published: '12031', ours: rows.length, class: 'exact' },
      {
        figure: 'mean prompt, tokens',
        published: '12035',
        ours: mean(({ inputLength }) => inputLength),
        class: 'exact',
      },
      {
        figure: 'mean answer, tokens',
        published: '343',
        ours: mean(({ outputLength }) => outputLength),
        class: 'exact',
      },
      { figure: 'blocks that hit, %', published: '36.6', ours: (100 * hits) / named, class: 'exact' },
    ];
  },
};
