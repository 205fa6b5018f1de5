import { describe, expect, it } from 'vitest';
import type { SimulatedRequest } from '../../src/simulator/request.js';
import { simulate } from '../../src/simulator/simulation.js';
import { scaled } from '../support/scale.js';
import { cluster, constantPrice, geometric, poisson, pool } from './support.js';

const COUNT = scaled(100_000, 20_000);
const STEP = 0.001;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Mean time before the first step, and five standard errors of it from the means of forty stretches of the run. */
function waitsOf(requests: readonly SimulatedRequest[], machine: Parameters<typeof pool>[0]) {
  const { traces } = simulate(cluster([pool({ price: constantPrice(STEP), blocks: 1e5, ...machine })]), requests);
  expect(traces.every(({ status }) => status === 'completed')).toBe(true);
  // The first token comes with the first step, a step after it begins.
  const waits = traces.map(({ ttft }) => ttft - STEP);
  const size = Math.floor(waits.length / 40);
  const parts = Array.from({ length: 40 }, (_, part) => mean(waits.slice(part * size, (part + 1) * size)));
  const middle = mean(parts);
  const error = Math.sqrt(mean(parts.map((each) => (each - middle) ** 2)) / 39);
  return { wait: mean(waits), tolerance: 5 * error, traces };
}

/** Mean wait of M/G/1 (Pollaczek and Khinchine). */
const wait1 = (rate: number, first: number, second: number): number => (rate * second) / (2 * (1 - rate * first));

/** Mean wait of M/M/c (Erlang C). */
function waitC(rate: number, service: number, servers: number): number {
  const load = rate * service;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < servers; k++) sum += term *= load / k;
  const last = (term * load) / servers / (1 - load / servers);
  return ((last / (sum + last)) * service) / (servers - load);
}

describe('a machine that takes one request at a time', () => {
  it('has the waits of M/D/1', () => {
    const tokens = 20;
    const [service, rate] = [tokens * STEP, 0.7 / (tokens * STEP)];
    const requests = poisson(COUNT, rate, 1, () => ({ promptTokens: 1, outputTokens: tokens }));
    const { wait, tolerance } = waitsOf(requests, { maxSequences: 1 });
    expect(Math.abs(wait - wait1(rate, service, service ** 2))).toBeLessThan(tolerance);
    expect(tolerance).toBeLessThan(0.2 * wait);
  });

  it('has the waits of M/M/1, with answers of a geometric number of tokens', () => {
    const tokens = 20;
    const rate = 0.7 / (tokens * STEP);
    const requests = poisson(COUNT, rate, 2, (index) => ({
      promptTokens: 1,
      outputTokens: geometric(tokens, 2, index),
    }));
    const { wait, tolerance } = waitsOf(requests, { maxSequences: 1 });
    const second = (2 * tokens ** 2 - tokens) * STEP ** 2; // of a geometric number: (2 - p) / p^2
    expect(Math.abs(wait - wait1(rate, tokens * STEP, second))).toBeLessThan(tolerance);
    expect(tolerance).toBeLessThan(0.3 * wait);
  });
});

describe('a machine that takes several at a time', () => {
  it('has the waits of M/M/c, but for the step that a newcomer waits to begin', () => {
    const [tokens, servers] = [200, 4];
    const rate = (0.8 * servers) / (tokens * STEP);
    const requests = poisson(scaled(30_000, 12_000), rate, 3, (index) => ({
      promptTokens: 1,
      outputTokens: geometric(tokens, 3, index),
    }));
    const { wait, tolerance } = waitsOf(requests, { maxSequences: servers });
    expect(Math.abs(wait - waitC(rate, tokens * STEP, servers))).toBeLessThan(tolerance + STEP);
    expect(tolerance).toBeLessThan(0.8 * wait);
  });
});

describe('any machine', () => {
  it("holds Little's law: requests in it are their rate times how long they stay", () => {
    const requests = poisson(5000, 30, 4, (index) => ({ promptTokens: 30, outputTokens: geometric(40, 4, index) }));
    const { traces, duration } = simulate(cluster([pool({ price: constantPrice(STEP), maxSequences: 8 })]), requests);
    // Requests in the machine, integrated over time by walking through arrivals and ends.
    const changes = traces
      .flatMap(({ request, end }) => [
        { at: request.arrival, by: 1 },
        { at: end, by: -1 },
      ])
      .sort((a, b) => a.at - b.at);
    let [area, inside, since] = [0, 0, 0];
    for (const { at, by } of changes) {
      area += inside * (at - since);
      inside += by;
      since = at;
    }
    expect(inside).toBe(0);
    const stay = mean(traces.map(({ request, end }) => end - request.arrival));
    expect(area / duration).toBeCloseTo((traces.length / duration) * stay, 9);
  });
});
