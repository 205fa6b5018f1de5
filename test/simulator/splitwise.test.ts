import { describe, expect, it } from 'vitest';
import { randomAt } from '../../src/simulator/random.js';
import type { SimulatedRequest } from '../../src/simulator/request.js';
import { EventHeap } from '../../src/simulator/splitwise/event-heap.js';
import { isSplitwiseProfile, SplitwiseProfile } from '../../src/simulator/splitwise/profile.js';
import { SPLITWISE_SCHEDULERS } from '../../src/simulator/splitwise/scheduler.js';
import {
  simulateSplitwise,
  type SplitwiseCluster,
  type SplitwiseModel,
  type SplitwiseTimes,
} from '../../src/simulator/splitwise/simulate.js';

const HEADER = 'model,hardware,prompt_size,batch_size,token_size,prompt_time,token_time,tensor_parallel';

/** A prompt of t tokens takes t ms, a token of r rows 9.9 + 0.1 r ms. */
const profile = new SplitwiseProfile(`${HEADER}\ntoy,card,1,1,128,1,10,8\ntoy,card,1001,1,128,1001,110,8\n`);

/** 128 bytes of keys and values a token. */
const TOY: SplitwiseModel = { name: 'toy', layers: 2, hiddenSize: 16, weightBytes: 1000, bytesPerElement: 2 };

const machines = (role: 'prompt' | 'token', count = 1, tokens = 1e6) => ({
  role,
  count,
  hardware: 'card',
  tensorParallel: 8,
  memoryBytes: TOY.weightBytes + tokens * 128,
});

/** 100 tokens move in a millisecond. */
const cluster = (changes: Partial<SplitwiseCluster> = {}): SplitwiseCluster => ({
  model: TOY,
  pools: [machines('prompt'), machines('token')],
  transferBytesPerSecond: 12.8e6,
  ...changes,
});

const together = (changes: Partial<SplitwiseCluster> = {}): SplitwiseCluster =>
  cluster({ pools: [machines('prompt')], scheduler: 'jsq', ...changes });

/** Requests of (arrival in ms, prompt, answer). */
const requests = (...rows: readonly (readonly [number, number, number])[]): SimulatedRequest[] =>
  rows.map(([ms, promptTokens, outputTokens], index) => ({ index, arrival: ms / 1000, promptTokens, outputTokens }));

/** Milliseconds of what came of them. */
const ms = (times: readonly SplitwiseTimes[], of: 'ttft' | 'response' | 'secondTokenDelay' | 'queue'): number[] =>
  times.map((each) => Math.round(1e9 * each[of]) / 1e6);

describe('a profile in the format of splitwise-sim', () => {
  it('is recognised by its header, takes medians by tokens of the batch, and goes on in a line', () => {
    expect(isSplitwiseProfile(HEADER)).toBe(true);
    expect(isSplitwiseProfile('layer,tokens,time_us')).toBe(false);
    const rows = ['1,1,128,5,5', '8,1,128,10,20', '4,2,128,30,25', '2,4,128,16,90', '16,1,128,24,31'];
    const price = new SplitwiseProfile(
      `${HEADER}\n${rows.map((row) => `toy,card,${row},2`).join('\n')}\ntoy,other,1,1,128,1,1,2\n`,
    ).price('toy', 'card', 2);
    expect(price.promptSeconds(8)).toBeCloseTo(0.016, 12);
    expect(price.tokenSeconds(8)).toBeCloseTo(0.025, 12);
    expect(price.batchSeconds(1, 12, 0)).toBeCloseTo(0.02, 12);
    expect(price.outside).toEqual({ steps: 0, of: 1 });
    expect(price.batchSeconds(0, 0, 24)).toBeCloseTo(0.037, 12);
    expect(price.outside).toEqual({ steps: 1, of: 2 });
    // One token more than the prompt's, and a tenth on top.
    expect(price.batchSeconds(1, 11, 1)).toBeCloseTo(0.022, 12);
    const load = { decodeRows: 1, decodeKeys: 900, prompts: [{ begin: 0, end: 11 }], logitRows: 2 };
    expect(price.seconds(load)).toBeCloseTo(0.022, 12);
  });

  it('is refused by column, line or machine', () => {
    expect(() => new SplitwiseProfile('model,hardware\na,b\n', 'p.csv')).toThrow(
      'p.csv: there is no column tensor_parallel, prompt_size, batch_size, prompt_time, token_time',
    );
    expect(() => new SplitwiseProfile(`${HEADER}\ntoy,card,x,1,128,1,1,8\n`, 'p.csv')).toThrow('p.csv: prompt_size');
    expect(() => profile.price('toy', 'card', 4)).toThrow('no times of toy on card, TP4; it has toy on card, TP8');
  });
});

describe('events of one moment', () => {
  // As Python 3.11 prints them for the same pushes and pops.
  it.each([
    { times: [1, 1, 1, 1, 1, 1, 1, 1, 1], order: [0, 2, 6, 5, 8, 7, 1, 3, 4] },
    { times: [3, 1, 2, 3, 1, 2, 3, 1, 2, 3], order: [1, 4, 7, 2, 5, 8, 6, 9, 3, 0] },
  ])('come in the order of its heap: $order', ({ times, order }) => {
    const heap = new EventHeap();
    const seen: number[] = [];
    times.forEach((time, at) => heap.after(time, () => seen.push(at)));
    heap.after(2.5, () => seen.push(99)).cancelled = true;
    while (heap.step());
    expect(heap.now).toBe(Math.max(...times));
    expect(seen).toEqual(order);
  });
});

describe('machines apart', () => {
  it('give the first token before the transfer and the second after it', () => {
    const { times, duration } = simulateSplitwise(cluster(), requests([0, 100, 5]), profile);
    expect(ms(times, 'ttft')).toEqual([100]);
    expect(ms(times, 'secondTokenDelay')).toEqual([1]);
    expect(ms(times, 'response')).toEqual([141]);
    expect(times[0].tbt).toBeCloseTo(0.041 / 5, 12);
    expect(duration).toBeCloseTo(0.141, 12);
  });

  it('let a request join a stretch of decoding at its next boundary', () => {
    // The first decodes from 101 on; the second comes at 116.16, joins at 121 and has left after three of 10.1.
    const { times } = simulateSplitwise(cluster(), requests([0, 100, 11], [50, 16, 4]), profile);
    expect(ms(times, 'queue')).toEqual([0, 50]);
    expect(ms(times, 'secondTokenDelay')).toEqual([1, 5]);
    expect(ms(times, 'response')).toEqual([201.3, 101.3]);
  });

  it('try a transfer again each second while memory is short', () => {
    const pools = [machines('prompt'), machines('token', 1, 301)];
    // The first needs 101 + 200 tokens and ends at 2101; the second is tried at 150, 1150 and 2150.
    const { times } = simulateSplitwise(
      cluster({ pools, scheduler: 'kv_jsq' }),
      requests([0, 100, 201], [0, 50, 3]),
      profile,
    );
    expect(ms(times, 'secondTokenDelay')).toEqual([1, 2000.5]);
  });

  it('name the requests that never fit', () => {
    const pools = [machines('prompt'), machines('token', 1, 60)];
    const tight = cluster({ pools, scheduler: 'kv_jsq', endSeconds: 20 });
    const { times, unserved } = simulateSplitwise(tight, requests([0, 100, 5], [0, 20, 5]), profile);
    expect(unserved).toEqual([0]);
    expect(times.map(({ index }) => index)).toEqual([1]);
  });

  it('lend a machine to the other pool and take it back when it has nothing left', () => {
    const lent = cluster({ promptThreshold: 100 });
    const { times } = simulateSplitwise(
      lent,
      requests([0, 100, 5], [10, 100, 5], [20, 100, 5], [10_000, 100, 5]),
      profile,
    );
    // The third finds a queue at the prompts' machine, has the other one to itself and stays there: nothing moves.
    expect(ms(times, 'ttft')).toEqual([100, 190, 100, 100]);
    // What the first two decode waits for the lent machine's prompt: up to 120.
    expect(ms(times, 'secondTokenDelay').slice(2)).toEqual([0, 1]);
  });

  it('leave a prompt longer than a batch waiting until a stretch of decoding has ended', () => {
    const pools = [machines('prompt'), machines('token', 2)];
    // The fourth finds a queue, and borrows the machine on which the first decodes from 1010 to 6000.
    const { times } = simulateSplitwise(
      cluster({ pools, promptThreshold: 1000 }),
      requests([0, 1000, 500], [2000, 300, 2], [2010, 10, 2], [2020, 3000, 2]),
      profile,
    );
    expect(ms(times, 'response')[0]).toBe(6000);
    expect(ms(times, 'ttft')[3]).toBe(6980);
  });
});

describe('prompts and tokens on one machine', () => {
  it('cost a tenth more than the table of prompts says', () => {
    // Until 110 the first decodes alone; then 51 tokens take 1.1 x 51 ms, two rows 10.1, and the last row 10.
    const { times } = simulateSplitwise(together(), requests([0, 100, 5], [105, 50, 2]), profile);
    expect(ms(times, 'ttft')).toEqual([100, 61.1]);
    expect(ms(times, 'response')).toEqual([186.2, 71.2]);
  });

  it('never cut a prompt, which runs alone where it has more tokens than a batch may', () => {
    const { times, machines: reports } = simulateSplitwise(together(), requests([0, 100, 11], [105, 3000, 2]), profile);
    expect(ms(times, 'ttft')).toEqual([100, 3005]);
    expect(reports[0].putOut).toBe(1);
  });

  it('put a row out for a prompt, and let it come back with what it holds', () => {
    const limits = { maxBatchTokens: 64 };
    const { times, machines: reports } = simulateSplitwise(
      together({ limits }),
      requests([0, 10, 5], [15, 64, 2]),
      profile,
    );
    expect(ms(times, 'ttft')).toEqual([10, 69]);
    expect(ms(times, 'response')).toEqual([114.1, 79.1]);
    expect(reports[0]).toMatchObject({ putOut: 1, heldBytes: 0 });
  });

  it('let what was passed over often enough go first', () => {
    const load = requests([0, 10, 5], [15, 64, 2], [16, 64, 2]);
    const third = (maxPreemptions: number): number => {
      const limits = { maxBatchTokens: 64, maxPreemptions };
      return ms(simulateSplitwise(together({ limits }), load, profile).times, 'ttft')[2];
    };
    expect(third(4)).toBe(132);
    // The row of the first and that of the second come between: 10.1 ms.
    expect(third(1)).toBe(142.1);
  });
});

describe('every scheduler', () => {
  it.each(SPLITWISE_SCHEDULERS)('%s serves all requests and leaves no byte behind', (scheduler) => {
    const load = Array.from({ length: 400 }, (_, index) => ({
      index,
      arrival: 0.02 * index + 0.02 * randomAt(1, 'arrivals', index),
      promptTokens: 1 + Math.floor(400 * randomAt(1, 'lengths', index)),
      outputTokens: 2 + Math.floor(40 * randomAt(2, 'lengths', index)),
    }));
    const pools = [machines('prompt', 2, 4000), machines('token', 2, 4000)];
    const run = simulateSplitwise(cluster({ scheduler, pools, limits: { maxBatchTokens: 512 } }), load, profile);
    expect(run.unserved).toEqual([]);
    expect(run.times.map(({ index }) => index)).toEqual(load.map(({ index }) => index));
    expect(run.machines.map(({ heldBytes }) => heldBytes)).toEqual([0, 0, 0, 0]);
    for (const { ttft, response, promptTokens, outputTokens } of run.times) {
      expect(ttft).toBeGreaterThan(promptTokens / 1000 - 1e-9);
      expect(response - ttft).toBeGreaterThan((outputTokens - 1) * 0.01 - 1e-9);
    }
    const again = simulateSplitwise(cluster({ scheduler, pools, limits: { maxBatchTokens: 512 } }), load, profile);
    expect(again).toEqual(run);
  });

  it('overlap_kv_jsq moves ten times as fast as kv_jsq', () => {
    const delay = (scheduler: 'kv_jsq' | 'overlap_kv_jsq'): number =>
      ms(simulateSplitwise(cluster({ scheduler }), requests([0, 100, 5]), profile).times, 'secondTokenDelay')[0];
    expect([delay('kv_jsq'), delay('overlap_kv_jsq')]).toEqual([1, 0.1]);
  });
});

describe('what splitwise-sim cannot represent', () => {
  it('is refused by name', () => {
    expect(() => simulateSplitwise(cluster(), requests([0, 10, 1]), profile)).toThrow(
      'request 0 has an answer of 1 tokens; splitwise-sim knows none below 2',
    );
    expect(() => simulateSplitwise(cluster({ pools: [machines('prompt')] }), [], profile)).toThrow(
      'mixed_pool needs machines of both roles, prompt and token',
    );
    expect(() => simulateSplitwise(cluster({ pools: [] }), [], profile)).toThrow('at least one machine');
  });
});
