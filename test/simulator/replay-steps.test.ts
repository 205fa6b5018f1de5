import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withoutHost } from '../../bench/calibrate/serving-fit.js';
import { runOf, serveSchema, type ServeResult } from '../../bench/serve/schema.js';
import { StepLog } from '../../bench/serve/step-log.js';
import { replayRows } from '../../src/cli/commands/simulate/replay.js';
import { chromeTrace, type DrawnRun } from '../../src/cli/commands/simulate/trace-window.js';
import { readServeResult } from '../../src/cli/commands/simulate/serve-result.js';
import { findModel } from '../../src/cli/commands/predict/subjects.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { calibrationSchema } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration } from '../../src/roofline/hardware/hardware.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { POLICIES } from '../../src/scheduler/policies/index.js';
import type { StepLoad, StepPrice } from '../../src/simulator/price/price.js';
import { randomAt } from '../../src/simulator/random.js';
import { simulate } from '../../src/simulator/simulation.js';
import { recordOf } from '../../src/simulator/summary.js';

const folder = join(packageRoot(), 'bench', 'results', 'llvmpipe_mesa-25.0.7_2026-11-21-2');
const calibration = join(folder, 'calibration.json');
const recorded = await readServeResult(join(folder, 'serve-policies.json'));
const machine = withoutHost(fromCalibration(calibrationSchema.parse(JSON.parse(readFileSync(calibration, 'utf8')))));
const bare = new Predictor(await findModel('tiny-tales'), machine, { weights: 'f16', kv: 'f32' });

/** An engine on a host that does other things too: steps take longer than when it is idle, and now and then much longer. */
class BusyEngine implements StepPrice {
  readonly log = new StepLog();
  #steps = 0;
  readonly #seed: number;

  constructor(seed: number) {
    this.#seed = seed;
  }

  seconds(load: StepLoad): number {
    const { decodeRows, decodeKeys, prompts, logitRows } = load;
    const context = decodeRows > 0 ? decodeKeys / decodeRows - 1 : 0;
    const sequences = [
      ...Array.from({ length: decodeRows }, () => ({ newTokens: 1, context })),
      ...prompts.map(({ begin, end }) => ({ newTokens: end - begin, context: begin, prefill: true })),
    ];
    const batch = { sequences, logitRows };
    const stretch = prompts.length > 0 ? 2 : 1.6;
    const draw = randomAt(this.#seed, 'service', this.#steps++);
    const factor = draw > 0.97 ? 3 : 0.85 + 0.3 * draw;
    const seconds = factor * (stretch * bare.deviceSeconds(batch) + 0.0008 + 0.0001 * logitRows);
    this.log.observe(batch, 1000 * seconds);
    return seconds;
  }

  expected(load: StepLoad): number {
    const tokens = load.decodeRows + load.prompts.reduce((sum, { begin, end }) => sum + end - begin, 0);
    return 0.002 + 0.0001 * tokens;
  }
}

/** The recorded requests once more, on engines whose steps are known. */
function busyResult(): ServeResult {
  const runs = recorded.runs.map((run, seed) => {
    const policy = run.policy!;
    const chunk = policy === 'prefill-first' ? 512 : 64;
    const price = new BusyEngine(seed);
    const requests = run.requests.map(
      ({ index, sent_ms: sent, input_len: promptTokens, output_len: outputTokens }) => ({
        ...{ index, promptTokens, outputTokens, arrival: sent / 1000 },
      }),
    );
    const pool = {
      ...{ name: 'busy', role: 'both' as const, count: 1, price, policy: POLICIES[policy], decodeSloMs: 20 },
      ...{ blocks: 238, blockTokens: 16, maxSequences: 8, stepTokens: chunk + 8, chunk, depth: 2 },
    };
    const router = { prefill: 'round-robin', decode: 'round-robin' } as const;
    // Without stretches every step that is priced is one that runs.
    const record = recordOf(simulate({ pools: [pool], router }, requests, { stretches: false }));
    const taken = {
      policy,
      round: run.round,
      record,
      stats: undefined,
      steps: price.log.record(),
      prefillChunk: chunk,
    };
    return runOf(taken, { percentiles: [50, 99] });
  });
  return serveSchema.parse({ ...recorded, runs });
}

describe('a replay that prices steps by those of one policy', () => {
  const result = busyResult();

  it.each(['chunked', 'prefill-first'])('fitted on %s, is as close to the others as it is asked to be', async (fit) => {
    const rows = await replayRows(result, 'serve.json', { calibration, fit });
    expect(new Set(rows.filter(({ fitted }) => fitted).map(({ policy }) => policy))).toEqual(new Set([fit]));
    // `decode-priority` plans by a cost of its own, which is not in the file.
    for (const { policy, figure, measured, simulated } of rows) {
      if (policy === fit || policy === 'decode-priority') continue;
      const error = Math.abs(simulated / measured - 1);
      const limit = figure.includes('p50') ? 0.15 : figure.includes('tok/s') ? 0.05 : 0.3;
      expect(error, `${policy} ${figure}: ${measured} measured, ${simulated} simulated`).toBeLessThan(limit);
    }
  });

  it('is far off without them, as the calibration is of an idle engine', async () => {
    const rows = await replayRows(result, 'serve.json', { calibration, fit: 'none' });
    const row = rows.find(({ policy, figure }) => policy === 'chunked' && figure === 'E2E p50 ms')!;
    expect(rows.some(({ fitted }) => fitted)).toBe(false);
    expect(row.simulated / row.measured).toBeLessThan(0.8);
  });

  it('draws a run of each policy, as a process under its name', async () => {
    const drawn: DrawnRun[] = [];
    await replayRows(result, 'serve.json', { calibration }, (run) => drawn.push(run));
    const window = { from: 0, to: 2, path: 'out.json' };
    const { traceEvents } = chromeTrace(drawn, window) as { traceEvents: { ph: string; pid: number; args: object }[] };
    const names = [...new Set(result.runs.map(({ policy }) => policy!))];
    const adapter = result.context!.adapter;
    expect(traceEvents.filter(({ ph }) => ph === 'M').map(({ args }) => args)).toEqual(
      names.map((name) => ({ name: `${name}: ${adapter} 0` })),
    );
    const busy = new Set(traceEvents.filter(({ ph }) => ph === 'X').map(({ pid }) => pid));
    expect(busy).toEqual(new Set(names.map((_, at) => at)));
  });

  it('names the policies there are steps of', async () => {
    await expect(replayRows(result, 'serve.json', { calibration, fit: 'fastest' })).rejects.toThrow(
      /--fit fastest: serve.json has step times of prefill-first, chunked, decode-priority, static; say one of them, or none/,
    );
  });
});

describe('policies that were recorded (no step times, the calibration of an idle engine)', () => {
  const results = join(packageRoot(), 'bench', 'results');
  const pairs = ['llvmpipe_mesa-25.0.7_2026-11-21', 'llvmpipe_mesa-25.0.7_2026-11-21-2'];

  it.each(pairs)(
    'come in the order they were measured in, by the gap that one in a hundred exceeds: %s',
    async (name) => {
      const path = join(results, name, 'serve-policies.json');
      const file = join(results, name, 'calibration.json');
      const rows = await replayRows(await readServeResult(path), path, { calibration: file });
      const gaps = rows.filter(({ figure }) => figure === 'ITL p99 ms');
      const order = (key: 'measured' | 'simulated') =>
        [...gaps].sort((a, b) => a[key] - b[key]).map(({ policy }) => policy);
      expect(gaps).toHaveLength(4);
      expect(order('simulated')).toEqual(order('measured'));
    },
  );
});

describe('policies that were recorded on a quiet machine, its steps timed while requests came and went', () => {
  const name = join(packageRoot(), 'bench', 'results', 'llvmpipe_mesa-25.0.7_2026-11-30');
  const path = join(name, 'serve-policies.json');
  const rowsOf = async (fit: string) =>
    replayRows(await readServeResult(path), path, { calibration: join(name, 'calibration.json'), fit });

  it.each([
    ['by the calibration alone', 'none', 0.17],
    ['by the steps of one policy', 'chunked', 0.15],
  ])('come out again, %s', async (_, fit, median) => {
    const rows = await rowsOf(fit);
    expect(rows).toHaveLength(40);
    const off = (figure: RegExp) =>
      rows
        .filter((row) => figure.test(row.figure) && row.policy !== fit)
        .map(({ measured, simulated }) => Math.abs(simulated / measured - 1));
    expect(Math.max(...off(/tok\/s/))).toBeLessThan(0.01);
    expect(Math.max(...off(/p50/))).toBeLessThan(median);
    const tails = off(/p99/).sort((a, b) => b - a);
    // The first token of `static`, whose prompts wait for whole batches, is a third too early.
    expect(tails[0]).toBeLessThan(0.33);
    expect(tails[1]).toBeLessThan(0.3);
    for (const figure of ['TTFT p99 ms', 'ITL p99 ms']) {
      const each = rows.filter((row) => row.figure === figure);
      const order = (key: 'measured' | 'simulated') =>
        [...each].sort((a, b) => a[key] - b[key]).map(({ policy }) => policy);
      expect(order('simulated'), figure).toEqual(order('measured'));
    }
  });
});
