import { describe, expect, it } from 'vitest';
import { EmbedRun, type EmbedWays } from '../../src/engine/embed-run.js';
import { finished } from '../../src/engine/pooled-rows.js';
import type { Pooling } from '../../src/model/pooling.js';
import { ScheduledSequence } from '../../src/scheduler/sequence.js';

const STRIDE = 4;
const SCALE = Float32Array.of(1, 2);

/** A GPU whose copies are done at once, on rows whose numbers are (position + 1, 1). */
function pretend(pooling: Pooling, rows: Float32Array) {
  const freed: unknown[] = [];
  const told: number[] = [];
  const gpu = {
    buffer: (_: string, bytes: number) => {
      const memory = new ArrayBuffer(bytes);
      return { memory, mapAsync: () => Promise.resolve(), getMappedRange: () => memory };
    },
    free: (buffer: unknown) => void freed.push(buffer),
  };
  const encoder = {
    copyBufferToBuffer: (_: unknown, from: number, to: { memory: ArrayBuffer }, at: number, bytes: number) =>
      new Uint8Array(to.memory).set(new Uint8Array(rows.buffer, from, bytes), at),
  } as unknown as GPUCommandEncoder;
  const ways = {
    ...{ gpu, pooling, pass: { hidden: rows, hiddenStride: STRIDE }, norm: { scale: SCALE, eps: 0 } },
    submitted: (tokens: number) => void told.push(tokens),
  } as unknown as EmbedWays;
  return { ways, encoder, freed, told };
}

/** What the rows of positions are after the norm. */
const normed = (position: number): number[] => {
  const rms = Math.sqrt(((position + 1) ** 2 + 1) / 2);
  return [(position + 1) / rms, 2 / rms];
};

describe.each(['mean', 'last'] as const)('a prompt whose rows are pooled, %s', (pooling) => {
  it('takes every row once, also where it lost its place and its chunks come again', async () => {
    const rows = new Float32Array(8 * STRIDE);
    const { ways, encoder, freed, told } = pretend(pooling, rows);
    const run = new EmbedRun(new ScheduledSequence(1, 7, 0), [1, 2, 3, 4, 5, 6, 7], ways);
    // Chunks lie at some row of their step, behind others'.
    for (const [begin, end, row] of [
      [0, 2, 3],
      [2, 4, 0],
      [0, 3, 1],
      [3, 7, 2],
    ] as const) {
      expect(run.complete).toBe(false);
      for (let at = begin; at < end; at++) rows.set([at + 1, 1], (row + at - begin) * STRIDE);
      run.record(encoder, end, { row, begin, end })();
    }
    expect(run.complete).toBe(true);
    expect(told).toEqual([2, 2, 0, 3]);
    const all = Array.from({ length: 7 }, (_, position) => normed(position));
    const wanted = pooling === 'last' ? all[6] : [0, 1].map((i) => all.reduce((sum, row) => sum + row[i], 0) / 7);
    const vector = await run.vector;
    wanted.forEach((each, i) => expect(vector[i]).toBeCloseTo(each, 12));
    await Promise.resolve();
    expect(freed).toHaveLength(pooling === 'last' ? 1 : 3);
  });

  it('fails where the numbers are none', async () => {
    const { ways, encoder } = pretend(pooling, new Float32Array(STRIDE).fill(NaN));
    const run = new EmbedRun(new ScheduledSequence(1, 1, 0), [1], ways);
    run.record(encoder, 1, { row: 0, begin: 0, end: 1 })();
    await expect(run.vector).rejects.toThrow(/hidden states are not numbers/);
  });
});

it('vectors are cut first and then of length 1, one of zeros stays one', () => {
  const numbers = Float64Array.of(3, 4, 12);
  expect([...finished(numbers, 2, true)]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
  expect([...finished(numbers, 3, false)]).toEqual([3, 4, 12]);
  expect([...finished(new Float64Array(2), 2, true)]).toEqual([0, 0]);
});
