import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REPLICATIONS } from '../../src/published/replications/index.js';
import { RECORDED } from '../../src/published/replications/recorded.js';
import { replicates } from '../../src/published/replications/replication.js';
import { shownAsRecorded } from './support.js';

const DATA = '../shared/data/';
const TOOLS = { read: (file: string) => readFileSync(DATA + file, 'utf8'), turn: () => Promise.resolve() };

/** Known not to come out: splitting A100s serves about as much as H100s that do both here, not 1.4 times as much. */
const MISSES = ['Splitwise-AA over Baseline-H100, throughput, x'];

/** Minutes each, so that only who asks has them made again: RIDGEPOINT_LONG=1. */
const asked = process.env.RIDGEPOINT_LONG === '1';

describe('published searches (need ../shared/data and RIDGEPOINT_LONG=1)', () => {
  for (const replication of REPLICATIONS.filter(({ long }) => long === true)) {
    it.skipIf(!asked || replication.files.some((file) => !existsSync(DATA + file)))(
      `come out again: ${replication.name}`,
      async () => {
        const figures = await replication.run(TOOLS);
        const missed = figures.filter((each) => replicates(each) === false).map(({ figure }) => figure);
        expect(missed.filter((figure) => !MISSES.includes(figure))).toEqual([]);
        expect(shownAsRecorded(replication.name, figures)).toEqual(
          RECORDED[replication.name as keyof typeof RECORDED] ?? {},
        );
      },
      1_200_000,
    );
  }
});
