import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Gpu } from '../../src/gpu/gpu.js';
import { SAMPLING_WORDS } from '../../src/kernels/sample/kernel.js';
import { StepBuffer, type StepLimits, type StepSequence } from '../../src/model/step-buffer.js';
import { NEUTRAL } from '../support/sampling.js';

const LIMITS: StepLimits = {
  tokens: 64,
  sequences: 5,
  blocksPerSlot: 40,
  queriesPerTile: 16,
  maxSplits: 4,
  minSplitTokens: 128,
};
const FROM_SLOT = 0xffffffff;

interface FakeBuffer {
  readonly size: number;
  readonly words: Uint32Array;
}

/** A device that keeps what is written, and the bytes of each upload. */
function fakeGpu(): { gpu: Gpu; uploads: number[] } {
  const uploads: number[] = [];
  const buffer = (_: string, bytes: number): FakeBuffer => ({ size: bytes, words: new Uint32Array(bytes / 4) });
  const writeBuffer = (to: FakeBuffer, at: number, from: Uint32Array, offset: number, length: number): void => {
    to.words.set(from.subarray(offset, offset + length), at / 4);
    uploads.push(length * 4);
  };
  const gpu = { capabilities: { offsetAlignment: 256 }, buffer, storage: buffer, queue: { writeBuffer } };
  return { gpu: gpu as unknown as Gpu, uploads };
}

const wordsOf = (range: { buffer: GPUBuffer; offset?: number; size?: number }): Uint32Array => {
  const { words } = range.buffer as unknown as FakeBuffer;
  return words.subarray(range.offset! / 4, (range.offset! + range.size!) / 4);
};

const sequence = (slot: number, position: number, tokens: number[] | undefined, wants = true): StepSequence => ({
  slot,
  position,
  tokens,
  tokensBegin: 0,
  tokensEnd: tokens?.length ?? 1,
  blocks: Array.from({ length: 40 }, (_, i) => 1000 * (slot + 1) + i),
  sampling: wants ? { ...NEUTRAL, slot, seed: 40 + slot } : undefined,
});

describe('StepBuffer', () => {
  beforeAll(() => void vi.stubGlobal('GPUBufferUsage', { STORAGE: 128, UNIFORM: 64, COPY_DST: 8 }));
  afterAll(() => void vi.unstubAllGlobals());

  it('lays its parts out at offsets that a binding may have, none over another', () => {
    const step = new StepBuffer(fakeGpu().gpu, LIMITS);
    const ranges = [step.head, step.sampling, step.logitRows, step.tiles, step.rows];
    for (const { offset } of ranges) expect(offset! % 256).toBe(0);
    for (let i = 1; i < ranges.length; i++) {
      expect(ranges[i].offset).toBeGreaterThanOrEqual(ranges[i - 1].offset! + ranges[i - 1].size!);
    }
    expect(step.rows.offset! + step.rows.size!).toBeLessThanOrEqual(step.buffer.size);
    expect(step.rows.size).toBe(64 * 16);
    expect(step.sampling.size).toBe(5 * SAMPLING_WORDS * 4);
  });

  it('writes decode rows, then prefill rows in tiles, and the rows whose logits are wanted', () => {
    const { gpu } = fakeGpu();
    const step = new StepBuffer(gpu, LIMITS);
    const chunk = Array.from({ length: 17 }, (_, i) => 200 + i);
    const counts = step.upload({
      decode: [sequence(3, 99, undefined), sequence(0, 16, [7])],
      prefill: [sequence(1, 30, chunk, false), sequence(4, 0, [5, 6])],
    });
    expect(counts).toMatchObject({ tokens: 21, decodeRows: 2, tiles: 3, logitRows: 3, splits: 1 });
    expect([...wordsOf(step.head)]).toEqual([21, 2, 3, 3, 1, 192, 40, 0]);

    const rows = wordsOf(step.rows);
    const row = (i: number): number[] => [...rows.subarray(4 * i, 4 * i + 4)];
    expect(row(0)).toEqual([FROM_SLOT, 99, 3, 4006 * 16 + 3]);
    expect(row(1)).toEqual([7, 16, 0, 1001 * 16]);
    expect(row(2)).toEqual([200, 30, 1, 2001 * 16 + 14]);
    expect(row(4)).toEqual([202, 32, 1, 2002 * 16]);
    expect(row(18)).toEqual([216, 46, 1, 2002 * 16 + 14]);
    expect(row(19)).toEqual([5, 0, 4, 5000 * 16]);
    expect(row(20)).toEqual([6, 1, 4, 5000 * 16 + 1]);

    // (first row, rows, slot, first position); tiles begin at multiples of 16 wherever the chunk begins
    expect([...wordsOf(step.tiles).subarray(0, 12)]).toEqual([2, 2, 1, 30, 4, 15, 1, 32, 19, 2, 4, 0]);
    expect([...wordsOf(step.logitRows).subarray(0, 3)]).toEqual([0, 1, 20]);
    const sampling = wordsOf(step.sampling);
    expect([0, 1, 2].map((i) => sampling[i * SAMPLING_WORDS])).toEqual([3, 0, 4]);
    expect([0, 1, 2].map((i) => sampling[i * SAMPLING_WORDS + 9])).toEqual([43, 40, 44]);
  });

  it('takes a chunk out of the middle of a prompt', () => {
    const step = new StepBuffer(fakeGpu().gpu, LIMITS);
    const whole = sequence(2, 0, [10, 11, 12, 13, 14, 15]);
    step.upload({ decode: [], prefill: [{ ...whole, position: 2, tokensBegin: 2, tokensEnd: 5 }] });
    const rows = wordsOf(step.rows);
    expect([0, 1, 2].map((i) => [rows[4 * i], rows[4 * i + 1]])).toEqual([
      [12, 2],
      [13, 3],
      [14, 4],
    ]);
  });

  it('gives several rows to a sequence whose tokens are known, and a draw to each that is wanted', () => {
    const step = new StepBuffer(fakeGpu().gpu, { ...LIMITS, logitRows: 8 });
    const known = { ...sequence(2, 191, [11, 12, 13, 14]), samples: 3 };
    const counts = step.upload({ decode: [sequence(0, 5, undefined), known], prefill: [] });
    expect(counts).toMatchObject({ tokens: 5, decodeRows: 5, tiles: 0, logitRows: 4, splits: 2 });
    const rows = wordsOf(step.rows);
    expect([1, 2, 3, 4].map((i) => [rows[4 * i], rows[4 * i + 1], rows[4 * i + 2]])).toEqual([
      [11, 191, 2],
      [12, 192, 2],
      [13, 193, 2],
      [14, 194, 2],
    ]);
    expect([...wordsOf(step.logitRows).subarray(0, 4)]).toEqual([0, 2, 3, 4]);
    const sampling = wordsOf(step.sampling);
    expect([0, 1, 2, 3].map((i) => sampling[i * SAMPLING_WORDS])).toEqual([0, 2, 2, 2]);
    expect([1, 2, 3].map((i) => sampling[i * SAMPLING_WORDS + 10])).toEqual([0, 1, 2]);
  });

  it.each([
    { blocks: 40, length: 192, contexts: [1, 192, 193, 512, 640], splits: [1, 1, 2, 3, 4] },
    { blocks: 20, length: 128, contexts: [128, 129, 320], splits: [1, 2, 3] },
  ])(
    'cuts contexts of up to $blocks blocks into parts of $length, whatever the step',
    ({ blocks, length, contexts, splits }) => {
      const step = new StepBuffer(fakeGpu().gpu, { ...LIMITS, blocksPerSlot: blocks });
      contexts.forEach((context, i) => {
        const counts = step.upload({ decode: [sequence(0, 0, [1]), sequence(1, context - 1, [1])], prefill: [] });
        expect([counts.splits, wordsOf(step.head)[5]]).toEqual([splits[i], length]);
      });
    },
  );

  it('cuts so that every key belongs to one part, whatever the context', () => {
    const step = new StepBuffer(fakeGpu().gpu, LIMITS);
    for (let context = 1; context <= 640; context++) {
      const { splits } = step.upload({ decode: [sequence(0, context - 1, [1])], prefill: [] });
      const splitTokens = wordsOf(step.head)[5];
      expect(splits).toBeLessThanOrEqual(LIMITS.maxSplits);
      expect(splitTokens % 64).toBe(0);
      expect(splits * splitTokens).toBeGreaterThanOrEqual(context);
      expect((splits - 1) * splitTokens).toBeLessThan(context);
    }
  });

  it('has no splits in a step without decoding', () => {
    const step = new StepBuffer(fakeGpu().gpu, LIMITS);
    expect(step.upload({ decode: [], prefill: [sequence(0, 0, [1, 2])] }).splits).toBe(0);
  });

  it('uploads a block table only where it grew, and again for the slot of another sequence', () => {
    const { gpu, uploads } = fakeGpu();
    const step = new StepBuffer(gpu, LIMITS);
    const table = (): number[] => [...(step.blockTables as unknown as FakeBuffer).words.subarray(2 * 40, 2 * 40 + 3)];
    const at = (position: number, blocks: number[]): StepSequence => ({ ...sequence(2, position, undefined), blocks });
    const uploadsOf = (batch: StepSequence): number => {
      uploads.length = 0;
      step.upload({ decode: [batch], prefill: [] });
      return uploads.length - 1; // the step itself is one
    };
    expect(uploadsOf(at(15, [9]))).toBe(1);
    expect(uploadsOf(at(3, [9]))).toBe(0);
    expect(uploadsOf(at(16, [9, 4]))).toBe(1);
    expect(table()).toEqual([9, 4, 0]);
    expect(uploadsOf(at(17, [9, 4]))).toBe(0);
    step.resetSlot(2);
    expect(uploadsOf(at(0, [5, 6]))).toBe(1);
    expect(table().slice(0, 2)).toEqual([5, 6]);
  });

  it('uploads a short prefix for a decode step', () => {
    const { gpu, uploads } = fakeGpu();
    const step = new StepBuffer(gpu, { ...LIMITS, tokens: 4096 });
    step.upload({ decode: [sequence(0, 3, undefined)], prefill: [] });
    expect(uploads.at(-1)).toBe(step.rows.offset! + 16);
  });
});
