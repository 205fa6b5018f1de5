import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICIES, POLICY_NAMES } from '../../src/scheduler/policies/index.js';
import type { Cluster } from '../../src/simulator/cluster.js';
import type { SimulatedRequest } from '../../src/simulator/request.js';
import { BLOCK_TOKENS } from '../../src/kernels/attention/shape.js';
import { USUAL_BLOCK_TOKENS } from '../../src/simulator/machine-pool.js';
import { LOAD_PREDICTORS } from '../../src/simulator/load-predictors.js';
import { ROUTING } from '../../src/simulator/router.js';
import type { Simulation } from '../../src/simulator/outcome.js';
import { simulate } from '../../src/simulator/simulation.js';
import { scaled } from '../support/scale.js';
import { cluster, pool, priceOf } from './support.js';

const price = priceOf(0.004, 0.0003, 2e-6, 0.0001, 1e-7);

const requestsOf = fc.array(
  fc.record({
    gap: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.2, noNaN: true })),
    promptTokens: fc.integer({ min: 1, max: 60 }),
    outputTokens: fc.integer({ min: 1, max: 70 }),
    patience: fc.option(fc.double({ min: 0.001, max: 0.5, noNaN: true }), { nil: undefined, freq: 6 }),
  }),
  { minLength: 1, maxLength: 14, size: 'max' },
);

const machineOf = fc.record({
  policy: fc.constantFrom(...POLICY_NAMES).map((name) => POLICIES[name]),
  count: fc.integer({ min: 1, max: 3 }),
  blocks: fc.integer({ min: 6, max: 40 }),
  blockTokens: fc.constantFrom(4, 16),
  maxSequences: fc.integer({ min: 1, max: 6 }),
  chunk: fc.integer({ min: 1, max: 40 }),
  depth: fc.integer({ min: 1, max: 3 }),
});

const clusterOf: fc.Arbitrary<Cluster> = fc
  .record({
    first: machineOf,
    second: machineOf,
    apart: fc.boolean(),
    latency: fc.constantFrom(0, 0.003),
    mode: fc.constantFrom('after' as const, 'layerwise' as const),
    overlap: fc.constantFrom(0, 0.5, 0.9, 1),
    shared: fc.boolean(),
    link: fc.constantFrom(1e4, 1e6),
    prefill: fc.constantFrom(...ROUTING),
    decode: fc.constantFrom(...ROUTING),
    third: fc.option(machineOf, { nil: undefined }),
    reallocation: fc.option(
      fc.record({
        every: fc.constantFrom(0.05, 0.3),
        predictor: fc.constantFrom(...LOAD_PREDICTORS),
        drain: fc.boolean(),
      }),
      { nil: undefined },
    ),
  })
  .map(({ first, second, apart, latency, mode, overlap, shared, link, prefill, decode, third, reallocation }) => {
    const made = (changes: typeof first) =>
      pool({ ...changes, price, stepTokens: changes.chunk + changes.maxSequences, decodeSloMs: 12 });
    const router = { prefill, decode };
    if (!apart) return cluster([made(first)], { router });
    const transfer = { bytesPerToken: 100, latency, mode, overlap, layers: 4, shared };
    return cluster(
      [
        { ...made(first), name: 'p', role: 'prefill', linkBytesPerSecond: link },
        { ...made(second), name: 'd', role: 'decode', linkBytesPerSecond: 1.5 * link },
        ...(third === undefined
          ? []
          : [{ ...made(third), name: 'm', role: 'mixed' as const, linkBytesPerSecond: link }]),
      ],
      { router, transfer, reallocation },
    );
  });

function timed(
  requests: readonly (Omit<SimulatedRequest, 'index' | 'arrival'> & { gap: number })[],
): SimulatedRequest[] {
  let arrival = 0;
  return requests.map(({ gap, ...request }, index) => ({ ...request, index, arrival: (arrival += gap) }));
}

/** As `expect`, at a hundredth of its price: there may be a million schedules. */
function must(holds: boolean, what: string, ...found: unknown[]): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

/** What must hold of every simulation, whatever the cluster. */
function check(simulation: Simulation, requests: readonly SimulatedRequest[]): void {
  must(simulation.traces.length === requests.length, 'a request is lost', simulation.traces.length, requests.length);
  for (const { status, tokens, request, end, transferred } of simulation.traces) {
    must(status !== 'waiting', 'a request never ends', request);
    if (status === 'refused') continue;
    const times = tokens.all();
    must(tokens.count === times.length, 'tokens are miscounted', tokens.count, times);
    const inOrder = times.every((time, at) => time > (at === 0 ? request.arrival : times[at - 1]));
    must(inOrder, 'tokens come out of their order', request, times);
    if (status === 'completed') {
      must(times.length === request.outputTokens, 'an answer has another length', times.length, request);
      must(end === times.at(-1), 'a request ends without its last token', end, times);
    } else must(Math.abs(end - request.arrival - request.patience!) < 1e-9, 'a client leaves at another time', end);
    must(Number.isNaN(transferred) || transferred >= tokens.first, 'a transfer comes too early', transferred, times);
  }
  for (const { freeBlocks, blocks } of simulation.machines)
    must(freeBlocks === blocks, 'blocks are leaked', freeBlocks, blocks);
}

/** As `simulate`; a cluster whose machines wait for each other for ever, which says so, is not what is looked for. */
function simulated(...given: Parameters<typeof simulate>): Simulation {
  try {
    return simulate(...given);
  } catch (error) {
    fc.pre(!/stands still/.test(String(error)));
    throw error;
  }
}

describe('any cluster under any load', () => {
  // A million of them: RIDGEPOINT_TEST_SCALE=200 npx vitest run test/simulator/schedules.test.ts -t "loses no request"
  it('loses no request, invents no token and leaks no block', { timeout: scaled(900_000, 900_000) }, () => {
    let [transfers, preemptions, aborted] = [0, 0, 0];
    fc.assert(
      fc.property(clusterOf, requestsOf, (spec, given) => {
        const requests = timed(given);
        const simulation = simulated(spec, requests);
        check(simulation, requests);
        transfers += simulation.transfers.count;
        preemptions += simulation.machines.reduce((sum, machine) => sum + machine.preemptions, 0);
        aborted += simulation.traces.filter(({ status }) => status === 'aborted').length;
      }),
      { numRuns: scaled(5000, 400) },
    );
    // What the test is there for did happen.
    expect(Math.min(transfers, preemptions, aborted)).toBeGreaterThan(10);
  });

  it('comes out the same with every step taken by itself', () => {
    let saved = 0;
    fc.assert(
      fc.property(clusterOf, requestsOf, (spec, given) => {
        const requests = timed(given);
        const quick = simulated(spec, requests);
        const slow = simulated(spec, requests, { stretches: false });
        expect(quick.machines.map(({ steps }) => steps)).toEqual(slow.machines.map(({ steps }) => steps));
        quick.traces.forEach((trace, at) => {
          const other = slow.traces[at];
          expect(trace.status).toBe(other.status);
          expect(trace.tokens.count).toBe(other.tokens.count);
          const times = other.tokens.all();
          expect(trace.tokens.all().every((time, token) => Math.abs(time - times[token]) < 1e-9)).toBe(true);
          saved += times.length;
        });
      }),
      { numRuns: scaled(3000, 250) },
    );
    expect(saved).toBeGreaterThan(1000);
  });

  it('lets a machine that takes up decoding go on with the prompts it has, whatever room it has left', () => {
    const machine = { blockTokens: 4, maxSequences: 1, stepTokens: 2, depth: 1, chunk: 1, decodeSloMs: 12, price };
    const spec = cluster(
      [
        { ...pool({ ...machine, count: 1, blocks: 6 }), name: 'p', role: 'prefill', linkBytesPerSecond: 1e4 },
        { ...pool({ ...machine, count: 3, blocks: 7 }), name: 'd', role: 'decode', linkBytesPerSecond: 1.5e4 },
      ],
      {
        router: { prefill: 'round-robin', decode: 'round-robin' },
        transfer: { bytesPerToken: 100, latency: 0, mode: 'after', overlap: 0, layers: 4, shared: false },
        reallocation: { every: 0.05, predictor: 'ewma', drain: false },
      },
    );
    // The fourth needs 26 tokens of the 28 that a machine of d has, which does prompts when it comes, and then decodes.
    const requests = timed([
      { gap: 0, promptTokens: 1, outputTokens: 14 },
      { gap: 0, promptTokens: 1, outputTokens: 1, patience: 0.001 },
      { gap: 0.1, promptTokens: 1, outputTokens: 29 },
      { gap: 0, promptTokens: 25, outputTokens: 2 },
      { gap: 0, promptTokens: 1, outputTokens: 10 },
      { gap: 0, promptTokens: 1, outputTokens: 1 },
    ]);
    const simulation = simulate(spec, requests);
    check(simulation, requests);
    expect(simulation.traces.map(({ status }) => status)[3]).toBe('completed');
  });

  it('repeats to the bit', () => {
    const requests = timed([
      { gap: 0.01, promptTokens: 20, outputTokens: 30 },
      { gap: 0, promptTokens: 9, outputTokens: 5 },
    ]);
    const spec = cluster([pool({ price, count: 3 })], { router: { prefill: 'random', decode: 'random' } });
    const times = () => simulate(spec, requests, { seed: 7 }).traces.map(({ tokens }) => tokens.all());
    expect(times()).toEqual(times());
  });
});

it('has blocks of the engine’s size unasked', () => {
  expect(USUAL_BLOCK_TOKENS).toBe(BLOCK_TOKENS);
});

describe('machines of different sizes', () => {
  it('get the requests that fit them, and refuse by name what fits none', () => {
    const spec = cluster([pool({ name: 'small', blocks: 2 }), pool({ name: 'large', blocks: 8 })], {
      router: { prefill: 'round-robin', decode: 'round-robin' },
    });
    const requests = [100, 100, 20, 20, 200].map((promptTokens, index) => ({
      index,
      arrival: index,
      promptTokens,
      outputTokens: 2,
    }));
    const { traces, machines } = simulate(spec, requests);
    expect(traces.map(({ status }) => status)).toEqual([...new Array<string>(4).fill('completed'), 'refused']);
    expect(traces[4].refusal).toContain('a machine of small has 32, a machine of large has 128');
    expect(machines.map(({ promptTokens }) => promptTokens)).toEqual([20, 220]);
  });
});

describe('one more machine', () => {
  it('never makes equal requests end later, first come, first served', () => {
    fc.assert(
      fc.property(requestsOf, fc.integer({ min: 1, max: 4 }), (given, count) => {
        const requests = timed(given).map((request) => ({
          ...request,
          promptTokens: 20,
          outputTokens: 12,
          patience: undefined,
        }));
        const end = (machines: number): number =>
          simulate(
            cluster([pool({ price: priceOf(0.004, 0, 0, 0.0001, 0), count: machines, maxSequences: 1 })]),
            requests,
          ).duration;
        expect(end(count + 1)).toBeLessThanOrEqual(end(count) + 1e-9);
      }),
      { numRuns: scaled(500, 60) },
    );
  });
});
