import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { build } from '../cli/support.js';
import { adapter } from '../engine/support.js';
import { random } from '../reference/compare.js';
import { complete, idsOf, killAll, launchRouter, launchWorker, metric, type Running } from './processes.js';

/** `RIDGEPOINT_TEST_KILLS=200` for a long run. */
const KILLS = Number(process.env.RIDGEPOINT_TEST_KILLS ?? 3);
const SEED = Number(process.env.RIDGEPOINT_TEST_SEED ?? 7);
/** Requests under way when something is killed. */
const UNDER_WAY = 4;
/** The longest time before something is killed, in milliseconds. */
const MOST_MS = 600;

const LONG = 'Once upon a time there was a little girl who had a red ball. '.repeat(10);
const BODIES = ['A', 'B', 'C', 'D', 'E', 'F'].map((name, at) => ({
  prompt: at % 3 === 0 ? `${name} bird` : `${name} story. ${LONG}`,
  max_tokens: 20 + 8 * at,
  ...(at % 2 === 0 ? {} : { temperature: 1, seed: at, frequency_penalty: 0.3 }),
}));

const ROLES = { prefill: 'prefill', first: 'decode', second: 'both' } as const;
type Name = keyof typeof ROLES;
const NAMES = Object.keys(ROLES) as Name[];

/** Bytes of a process that are in memory, undefined where the system does not say. */
function memoryOf({ child }: Running): number | undefined {
  try {
    const pages = readFileSync(`/proc/${child.pid}/statm`, 'utf8').split(' ')[1];
    return 4096 * Number(pages);
  } catch {
    return undefined;
  }
}

beforeAll(build);
afterAll(killAll);

it(
  `${KILLS} times something is killed: every answer has the ids it would have had, and nothing is left behind`,
  async () => {
    const numbers = random(SEED);
    const start = (name: Name, port = 0): Promise<Running> =>
      launchWorker(adapter, '--role', ROLES[name], '--prefill-chunk', '64', '--listen', `127.0.0.1:${port}`);
    const workers = Object.fromEntries(
      await Promise.all(NAMES.map(async (name) => [name, await start(name)])),
    ) as Record<Name, Running>;
    const route = (): Promise<Running> =>
      launchRouter(
        NAMES.map((name) => workers[name]),
        '--placement',
        'least-loaded',
      );
    let router = await route();
    const expected: (readonly number[])[] = [];
    for (const body of BODIES) expected.push(await idsOf(await complete(router, body)));
    const counts: Record<string, number> = {};
    const memory: number[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const victim = ([...NAMES, 'router'] as const)[numbers.integer(NAMES.length + 1)];
      const asked = Array.from({ length: UNDER_WAY }, () => numbers.integer(BODIES.length));
      // A router takes its clients' connections along.
      const answers = asked.map((at) =>
        complete(router, BODIES[at])
          .then(idsOf)
          .catch((error: unknown) => {
            if (victim === 'router') return undefined;
            throw error;
          }),
      );
      const all = Promise.all(answers);
      all.catch(() => undefined); // awaited below
      await new Promise((resolve) => setTimeout(resolve, numbers.integer(MOST_MS)));
      counts[victim] = (counts[victim] ?? 0) + 1;
      if (victim === 'router') {
        await router.kill();
        await all;
        router = await route();
      } else {
        const { port } = workers[victim];
        await workers[victim].kill();
        workers[victim] = await start(victim, port);
      }
      for (const [i, ids] of (await all).entries()) {
        if (ids !== undefined) expect(ids, `request ${i}, kill ${kill} (${victim})`).toEqual(expected[asked[i]]);
      }
      const held = (): Promise<number[]> =>
        Promise.all(
          ['kv_cache_usage_perc', 'num_requests_running', 'num_requests_waiting'].map((name) => metric(router, name)),
        );
      await expect.poll(held, { message: `after kill ${kill} (${victim})` }).toEqual([0, 0, 0]);
      const used = memoryOf(workers.second);
      if (used !== undefined && victim !== 'second') memory.push(used);
      // For who runs more than the few that every run has.
      if (process.env.RIDGEPOINT_TEST_KILLS !== undefined) {
        const mebibytes = memory.map((bytes) => Math.round(bytes / 2 ** 20));
        process.stdout.write(`${JSON.stringify({ kill: kill + 1, counts, memoryMiB: mebibytes.slice(-8) })}\n`);
      }
    }
  },
  900_000 + 60_000 * KILLS,
);
