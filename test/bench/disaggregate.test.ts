import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { gainFigure } from '../../bench/disaggregate/figure.js';
import { bytesPerMs, exposedMs, sentBytes } from '../../bench/disaggregate/formula.js';
import { judge, verdicts } from '../../bench/disaggregate/judge.js';
import { measureDisaggregate } from '../../bench/disaggregate/measure.js';
import { disaggregatePlan, shuffled, type DisaggregateOptions } from '../../bench/disaggregate/plan.js';
import { Relay } from '../../bench/disaggregate/relay.js';
import { ShapedPipe } from '../../bench/disaggregate/shaped-pipe.js';
import { disaggregateSchema, type DisaggregateResult } from '../../bench/disaggregate/schema.js';
import { Stages } from '../../bench/disaggregate/stages.js';
import { disaggregateTables } from '../../bench/disaggregate/tables.js';
import { draw } from '../../bench/report/render.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { adapter, tinyFolder } from '../engine/support.js';

const OPTIONS: DisaggregateOptions = {
  pairs: [{ prefill: 'p', decode: 'd' }],
  ...{ prompts: [64, 448], outputs: [8], networks: [undefined, 20], delays: [0, 5], repetitions: 2, warmup: 0 },
};

/** A run in which everything takes as long as the formulas say, but for one cell. */
function made(): DisaggregateResult {
  const rows = disaggregatePlan(OPTIONS);
  const twice = (ms: number): number[] => [ms, ms];
  const result: DisaggregateResult = {
    ...{ version: 1, kind: 'disaggregate', complete: true, date: '2026-11-30', contexts: [] },
    host: { os: 'o', cpu: 'c', threads: 2, memory_bytes: 1 },
    options: {
      ...{ pairs: [{ prefill: 'p', decode: 'd' }], prompts: [64, 448], outputs: [8], networks_mbit: [null, 20] },
      ...{ delays_ms: [0, 5], repetitions: 2, warmup: 0, prefill_chunk: 64 },
    },
    ...{ alone: [], prefills: [], tails: [], cells: [] },
  };
  for (const point of rows) {
    const n_prompt = point.promptTokens;
    const prefillMs = n_prompt;
    const firstChunkMs = 64;
    if (point.kind === 'prefill') {
      const times = { prefills_ms: twice(prefillMs), first_chunks_ms: twice(firstChunkMs) };
      result.prefills.push({ adapter: point.adapter, n_prompt, ...times });
    } else if (point.kind === 'tail') {
      result.tails.push({ adapter: point.adapter, n_prompt, tails_ms: twice(10) });
    } else if (point.kind === 'alone') {
      const ttft = (point.adapter === 'd' ? 4 : 1) * n_prompt;
      const { adapter: name, outputTokens: n_gen } = point;
      result.alone.push({ adapter: name, n_prompt, n_gen, ttfts_ms: twice(ttft), e2els_ms: twice(ttft + 70) });
    } else if (point.kind === 'cell') {
      const { bytes, lastBytes } = sentBytes(n_prompt, 64, { blockTokens: 16, blockBytes: 65_536 });
      const shape = { bytesPerMs: point.mbit && bytesPerMs(point.mbit), delayMs: point.delayMs };
      const exposed = exposedMs({ prefillMs, firstChunkMs, bytes, lastBytes }, shape);
      const late = point.mbit === 20 && n_prompt === 64 && point.delayMs === 5 ? 100 : 0;
      const kv = prefillMs + exposed + late;
      result.cells.push({
        ...{ prefill: 'p', decode: 'd', n_prompt, n_gen: 8, mbit: point.mbit ?? null, delay_ms: point.delayMs },
        ...{ kv_bytes: bytes, kv_last_bytes: lastBytes, fallbacks: 0, tails_ms: twice(10), decodes_ms: twice(70) },
        ...{ e2els_ms: twice(kv + 80), ttfts_ms: twice(kv + 10), prefills_ms: twice(prefillMs), kvs_ms: twice(kv) },
        ...{ first_chunks_ms: twice(firstChunkMs), exposeds_ms: twice(exposed + late) },
      });
    }
  }
  return disaggregateSchema.parse(result);
}

describe('what is exposed of a transfer', () => {
  it('is the last chunk where the link keeps up, and what it owes where it does not', () => {
    const prompt = { prefillMs: 400, firstChunkMs: 100, bytes: 1000, lastBytes: 250 };
    expect(exposedMs(prompt, {})).toBe(0);
    expect(exposedMs(prompt, { bytesPerMs: 10, delayMs: 5 })).toBe(25 + 10);
    expect(exposedMs(prompt, { bytesPerMs: 2, delayMs: 5 })).toBe(500 - 300 + 10);
    expect(bytesPerMs(1000)).toBe(125_000);
  });

  it('is of whole blocks but for the one with the last token', () => {
    const block = { blockTokens: 16, blockBytes: 10 };
    expect(sentBytes(448, 64, block)).toEqual({ bytes: 270, lastBytes: 30 });
    expect(sentBytes(65, 64, block)).toEqual({ bytes: 40, lastBytes: 40 });
    expect(sentBytes(17, 512, block)).toEqual({ bytes: 10, lastBytes: 10 });
    expect(sentBytes(16, 64, block)).toMatchObject({ bytes: 0 });
  });
});

describe('a map of gains', () => {
  it('sets what was measured beside what its halves say, against either adapter alone', () => {
    const result = made();
    const cells = judge(result);
    expect(cells).toHaveLength(8);
    const [first] = cells;
    expect(first.measured).toEqual({ prefillMs: 64, exposedMs: 0, tailMs: 10, decodeMs: 70, e2elMs: 144 });
    expect(first.predicted).toEqual(first.measured);
    expect(first.gain.overDecode).toBeCloseTo((4 * 64 + 70) / 144);
    expect(first.gain.overPrefill).toBeCloseTo((64 + 70) / 144);
    expect(verdicts(cells).map(({ held, of }) => [held, of])).toEqual([
      [3, 4],
      [7, 8],
      [12, 12],
    ]);
    const text = disaggregateTables(result, cells, 'median');
    expect(text).toContain('### p -> d');
    expect(text).toContain('E2E predicted within 15 %: 7 of 8');
    expect(text.split('\n').find((line) => line.startsWith('| 64, 8 '))).toContain('2.26 (2.26)');
  });

  it('tells a host that was slower meanwhile from a prediction that is wrong', () => {
    const calm = made();
    const [slow, wrong] = [calm.cells[0], calm.cells[4]];
    for (const row of [...calm.alone, ...calm.prefills, ...calm.tails, ...calm.cells]) row.paces_ms = [50, 50, 50];
    // Nothing is limited by the link in either: all of it takes as much longer as the machine is slower.
    for (const cell of [slow, wrong])
      for (const key of ['e2els_ms', 'ttfts_ms'] as const) cell[key] = cell[key].map((ms) => 3 * ms);
    slow.paces_ms = [150, 150];
    const cells = judge(calm);
    expect([slow, wrong].map(({ mbit, delay_ms }) => [mbit, delay_ms])).toEqual([
      [null, 0],
      [null, 0],
    ]);
    const [atSlow, atWrong] = [slow, wrong].map((row) => cells.find(({ cell }) => cell === row)!);
    expect(atSlow.measured.e2elMs / atSlow.predicted.e2elMs).toBeCloseTo(3);
    expect(atSlow.measured.e2elMs / atSlow.atPaceMs!).toBeCloseTo(1);
    expect(atWrong.measured.e2elMs / atWrong.atPaceMs!).toBeCloseTo(3);
    expect(
      verdicts(cells)
        .slice(1)
        .map(({ what, held }) => [what.endsWith('pace'), held]),
    ).toEqual([
      [false, 5],
      [false, 13],
      [true, 6],
      [true, 14],
    ]);
    expect(disaggregateTables(calm, cells, 'median')).toContain('E2E predicted within 15 % at the host’s pace: 6 of 8');
  });

  it('is drawn', async () => {
    const svg = await draw(gainFigure(judge(made()))!);
    expect(svg).toContain('p to d: gain, predicted');
    expect(svg).toContain('2.26');
  });

  it('has every point once a round, in another order each', () => {
    const plan = disaggregatePlan(OPTIONS);
    expect(plan.filter(({ kind }) => kind === 'cell')).toHaveLength(8);
    expect(plan.filter(({ kind }) => kind === 'alone')).toHaveLength(4);
    let state = 0.37;
    const next = (): number => (state = (state * 7.3) % 1);
    const order = shuffled(plan, next);
    expect(order).not.toEqual(plan);
    expect(new Set(order)).toEqual(new Set(plan));
  });

  it('is measured of two engines with a link between, nothing of one prompt being there for the next', async () => {
    const model = tinyFolder();
    const engines: { dispose(): Promise<void> }[] = [];
    const options: DisaggregateOptions = {
      pairs: [{ prefill: adapter, decode: adapter }],
      ...{ prompts: [70], outputs: [3], networks: [undefined, 50], delays: [2], repetitions: 2, warmup: 1 },
    };
    const stages = await Stages.load(options.pairs, async (name, isPrefill, onStep) => {
      const sizes = { contextLength: 128, kvCacheTokens: 512, ...(isPrefill ? { prefillChunk: 32 } : {}) };
      const engine = await startEngine({ adapter: name, model, onStep, ...sizes }, nodeHost);
      engines.push(engine);
      return engine;
    });
    const rounds: number[] = [];
    let paces = 0;
    const measured = await measureDisaggregate(stages, options, 32, {
      onPoint: (round) => void rounds.push(round),
      pace: () => Promise.resolve(++paces),
      onRound: () => Promise.resolve(),
      signal: new AbortController().signal,
    });
    // Two cells, and what they are compared with twice.
    expect(rounds).toHaveLength(3 * (2 + 2 * 3));
    // Before each point and after the last one.
    expect(paces).toBe(3 * 8 + 1);
    for (const { paces_ms } of [...measured.cells, ...measured.alone, ...measured.prefills, ...measured.tails]) {
      expect(paces_ms!.every((ms) => ms >= 1 && !Number.isInteger(ms))).toBe(true);
    }
    expect(measured.tails.map(({ tails_ms }) => tails_ms.length)).toEqual([4]);
    expect(measured.cells).toHaveLength(2);
    const { blockBytes } = stages.decodes.get(adapter)!.engine.kv;
    for (const cell of measured.cells) {
      expect(cell).toMatchObject({ kv_bytes: 4 * blockBytes, kv_last_bytes: 2 * blockBytes, fallbacks: 0 });
      expect(cell.e2els_ms).toHaveLength(2);
      for (const [at, ms] of cell.e2els_ms.entries()) {
        // Twice under way for 2 ms each, and the parts are all there is.
        expect(cell.kvs_ms[at]).toBeGreaterThanOrEqual(4);
        const parts = cell.prefills_ms[at] + cell.exposeds_ms[at] + cell.tails_ms[at] + cell.decodes_ms[at];
        expect(parts).toBeCloseTo(ms, 5);
      }
    }
    await stages.close();
    await Promise.all(engines.map((engine) => engine.dispose()));
  });
});

describe('a shaped link', () => {
  it('lets nothing through faster than its rate, nor sooner than its delay, and all of it', async () => {
    const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const relay = await Relay.open((server.address() as AddressInfo).port, { bytesPerMs: 5000, delayMs: 20 });
    const sent = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) & 255));
    const began = performance.now();
    const socket = connect(relay.port, '127.0.0.1');
    const parts: Buffer[] = [];
    socket.on('data', (part) => parts.push(part));
    const ended = new Promise((resolve) => socket.once('end', resolve));
    socket.end(sent);
    await ended;
    expect(performance.now() - began).toBeGreaterThanOrEqual(60 + 40);
    expect(Buffer.concat(parts).equals(sent)).toBe(true);
    expect(relay.carried).toBe(600_000);
    await relay.close();
    await new Promise((resolve) => server.close(resolve));
  });

  it('without a rate takes what 10 Gbit/s would bring within its delay, all at once', () => {
    const taken = (delayMs: number, bytes: number): boolean => {
      const [from, to] = [new PassThrough(), new PassThrough()];
      const pipe = new ShapedPipe(from as unknown as Socket, to as unknown as Socket, () => ({ delayMs }));
      pipe.stall();
      from.emit('data', Buffer.alloc(bytes));
      return !from.isPaused();
    };
    expect(taken(20, 20e6)).toBe(true);
    expect(taken(20, 30e6)).toBe(false);
    expect(taken(0, 100_000)).toBe(false);
  });
});
