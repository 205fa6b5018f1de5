import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serveSchema } from '../../../bench/serve/schema.js';
import { build, cli, root, Scratch } from '../../cli/support.js';
import { adapters } from '../../support/adapters.js';

const scratch = new Scratch();
const adapter = adapters.find((name) => name === 'lavapipe') ?? adapters[0];
/** Of another machine: the steps timed in the run say how far off it is. */
const CALIBRATION = join(root, 'bench', 'results', 'llvmpipe_mesa-25.0.7_2026-11-30', 'calibration.json');

interface Row {
  readonly policy: string;
  readonly fitted: boolean;
  readonly figure: string;
  readonly measured: number;
  readonly simulated: number;
  readonly error: number;
}

beforeAll(build);
afterAll(() => scratch.remove());

describe(`on ${adapter}`, () => {
  test('what was served is served again at the price of the steps timed meanwhile', async () => {
    const path = join(scratch.path, 'live.json');
    const [policies, count, answers] = [['chunked', 'prefill-first'], 14, [3, 7]];
    const served = await cli([
      ...['bench', 'serve', '--adapter', adapter, '--policies', policies.join(','), '--output', path, '--warmup', '1'],
      // One at a time, so that however slow the machine is each prompt has a step of its own.
      ...['--num-prompts', String(count), '--request-rate', '5', '--max-concurrency', '1'],
      ...['--input-len', '8-24', '--output-len', answers.join('-')],
    ]);
    expect(served.code, served.stderr).toBe(0);
    const replay = await cli(['simulate', 'replay', path, '--calibration', CALIBRATION, '--json']);
    expect(replay.code, replay.stderr).toBe(0);
    const { rows } = JSON.parse(replay.stdout) as { rows: Row[] };
    const { runs } = serveSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    for (const { policy, figure, error } of rows) console.log(`${policy} ${figure} ${(100 * error).toFixed(1)} %`);

    expect(new Set(rows.map(({ policy }) => policy))).toEqual(new Set(policies));
    expect(new Set(rows.filter(({ fitted }) => fitted).map(({ policy }) => policy))).toEqual(new Set(['chunked']));
    const steps = runs.find(({ policy }) => policy === 'chunked')!.steps!.ms;
    for (const policy of policies) {
      const { requests, figures } = runs.find((run) => run.policy === policy)!;
      expect(requests).toHaveLength(count);
      const row = (figure: string): Row => rows.find((each) => each.policy === policy && each.figure === figure)!;
      // What the steps of this run cost, neither the calibration's nor somebody else's.
      const { simulated } = row('E2E p50 ms');
      expect(simulated).toBeGreaterThan(answers[0] * Math.min(...steps));
      expect(simulated).toBeLessThan((answers[1] + 1) * Math.max(...steps));
      expect(row('TTFT p50 ms').simulated).toBeLessThan(simulated);
      // Requests are sent when they were; only what the last one takes is left to the price.
      const last = Math.max(...requests.map(({ end_ms: end }) => end), row('E2E p99 ms').simulated);
      const { measured, simulated: rate } = row('output tok/s');
      expect(Math.abs(rate / measured - 1)).toBeLessThan(0.05 + last / 1000 / figures.duration);
    }

    const few = { ...JSON.parse(readFileSync(path, 'utf8')) } as { runs: { steps: { ms: number[] } }[] };
    for (const { steps: taken } of few.runs) taken.ms = taken.ms.slice(0, 5);
    const short = scratch.file('few.json', JSON.stringify(few));
    const refused = await cli(['simulate', 'replay', short, '--calibration', CALIBRATION]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('has too few steps without prompts and with prompts to say what they cost');
  });
});
