import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { convert } from '../../src/checkpoint/convert.js';
import type { TargetDtype, TensorDtype } from '../../src/checkpoint/convert.js';
import { checkLayout, mapRow } from '../../src/checkpoint/layout.js';
import type { FusedMatrix, FusedPart } from '../../src/checkpoint/layout.js';
import { streamFused } from '../../src/checkpoint/stream.js';
import type { StreamOptions } from '../../src/checkpoint/stream.js';
import { openFolder } from '../../src/platform/node/files.js';
import { hasStories, MemoryFolder, messageOf, safetensors, stories } from './support.js';
import type { TensorSpec } from './support.js';
import { scaled } from '../support/scale.js';

const SIZE = { F32: 4, F16: 2, BF16: 2, f32: 4, f16: 2, bf16: 2 } as const;

/** Values that every dtype holds, so that no conversion is refused. */
function randomTensor(dtype: TensorDtype, shape: number[], seed: number): TensorSpec {
  let state = seed | 1;
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >> 8) / 2 ** 20;
  });
  const data = new Uint8Array(values.length * SIZE[dtype]);
  const to = dtype.toLowerCase() as TargetDtype;
  convert(new Uint8Array(values.buffer), 'F32', to, data, { tensor: 'random' });
  return { dtype, shape, data };
}

/** The whole matrix at once, row by row, from the definition of each map. */
function naive(matrix: FusedMatrix, tensors: Record<string, TensorSpec>, to: TargetDtype, stride: number): Uint8Array {
  const out = new Uint8Array(matrix.rows * stride * SIZE[to]);
  for (const { tensor, rows, map } of matrix.parts) {
    const { dtype, data } = tensors[tensor];
    const sourceBytes = matrix.cols * SIZE[dtype as TensorDtype];
    for (let r = 0; r < rows; r++) {
      let row = 0;
      if (map.kind === 'block') row = map.offset + r;
      if (map.kind === 'interleave') row = 2 * r + map.phase;
      if (map.kind === 'rotary') {
        const [head, i, half] = [Math.floor(r / map.headDim), r % map.headDim, map.headDim / 2];
        row = map.offset + head * map.headDim + (i < half ? 2 * i : 2 * (i - half) + 1);
      }
      const at = row * stride * SIZE[to];
      const source = data.subarray(r * sourceBytes, (r + 1) * sourceBytes);
      convert(source, dtype as TensorDtype, to, out.subarray(at, at + matrix.cols * SIZE[to]), { tensor });
    }
  }
  return out;
}

async function collect(tensors: Record<string, TensorSpec>, matrix: FusedMatrix, options: StreamOptions) {
  const checkpoint = await openCheckpoint(new MemoryFolder({ 'model.safetensors': safetensors(tensors) }));
  const slabs: { rowsBegin: number; rows: number; bytes: Uint8Array }[] = [];
  for await (const slab of streamFused(checkpoint, matrix, options)) slabs.push({ ...slab, bytes: slab.bytes.slice() });
  return slabs;
}

const dtype = fc.constantFrom('F32' as const, 'F16' as const, 'BF16' as const);

/** Matrices of each kind the engine fuses: q k v, gate and up, blocks with a gap. */
const fused: fc.Arbitrary<FusedMatrix> = fc
  .record({
    kind: fc.constantFrom('qkv', 'gateUp', 'blocks'),
    n: fc.integer({ min: 1, max: 6 }),
    m: fc.integer({ min: 1, max: 3 }),
    half: fc.integer({ min: 1, max: 5 }),
    cols: fc.integer({ min: 1, max: 9 }),
  })
  .map(({ kind, n, m, half, cols }) => {
    const headDim = 2 * half;
    let parts: FusedPart[];
    let rows: number;
    if (kind === 'qkv') {
      rows = (n + 2 * m) * headDim;
      parts = [
        { tensor: 'a', rows: n * headDim, map: { kind: 'rotary', offset: 0, headDim } },
        { tensor: 'b', rows: m * headDim, map: { kind: 'rotary', offset: n * headDim, headDim } },
        { tensor: 'c', rows: m * headDim, map: { kind: 'block', offset: (n + m) * headDim } },
      ];
    } else if (kind === 'gateUp') {
      rows = 2 * n * half;
      parts = [
        { tensor: 'a', rows: n * half, map: { kind: 'interleave', phase: 0 } },
        { tensor: 'b', rows: n * half, map: { kind: 'interleave', phase: 1 } },
      ];
    } else {
      rows = n + half + m + 1; // `half` rows between the blocks and one after them come from nowhere
      parts = [
        { tensor: 'b', rows: m, map: { kind: 'block', offset: n + half } },
        { tensor: 'a', rows: n, map: { kind: 'block', offset: 0 } },
      ];
    }
    return { name: kind, rows, cols, parts };
  });

describe('streamFused', () => {
  it('equals a whole-tensor implementation, for any cut, stride, slab size and dtype', async () => {
    await fc.assert(
      fc.asyncProperty(
        fused,
        fc.array(dtype, { minLength: 3, maxLength: 3 }),
        fc.record({
          to: fc.constantFrom('f16' as const, 'bf16' as const, 'f32' as const),
          pad: fc.nat(5),
          slabBytes: fc.integer({ min: 1, max: 600 }),
          cutA: fc.nat(100),
          cutB: fc.nat(100),
          check: fc.boolean(),
        }),
        async (matrix, dtypes, { to, pad, slabBytes, cutA, cutB, check }) => {
          const tensors = Object.fromEntries(
            matrix.parts.map(({ tensor, rows }, i) => [
              tensor,
              randomTensor(dtypes[i], [rows, matrix.cols], i * 77 + rows),
            ]),
          );
          const strideCols = matrix.cols + pad;
          const [rowsBegin, rowsEnd] = [cutA % (matrix.rows + 1), cutB % (matrix.rows + 1)].sort((a, b) => a - b);
          const slabs = await collect(tensors, matrix, { to, strideCols, slabBytes, rowsBegin, rowsEnd, check });
          const rowBytes = strideCols * SIZE[to];
          let row = rowsBegin;
          for (const slab of slabs) {
            expect(slab.rowsBegin).toBe(row);
            expect(slab.rows).toBeGreaterThan(0);
            expect(slab.bytes.length).toBe(slab.rows * rowBytes);
            row += slab.rows;
          }
          expect(row).toBe(rowsEnd);
          const expected = naive(matrix, tensors, to, strideCols).subarray(rowsBegin * rowBytes, rowsEnd * rowBytes);
          expect(Buffer.compare(Buffer.concat(slabs.map((slab) => slab.bytes)), expected)).toBe(0);
        },
      ),
      { numRuns: scaled(1500, 300) },
    );
  });

  it('reads contiguous ranges, not rows, and each byte once', async () => {
    const headDim = 8;
    const matrix: FusedMatrix = {
      name: 'qkv',
      rows: 96,
      cols: 64,
      parts: [
        { tensor: 'q', rows: 64, map: { kind: 'rotary', offset: 0, headDim } },
        { tensor: 'k', rows: 16, map: { kind: 'rotary', offset: 64, headDim } },
        { tensor: 'v', rows: 16, map: { kind: 'block', offset: 80 } },
      ],
    };
    const tensors = Object.fromEntries(
      matrix.parts.map(({ tensor, rows }, i) => [tensor, randomTensor('BF16', [rows, 64], i)]),
    );
    const folder = new MemoryFolder({ 'model.safetensors': safetensors(tensors) });
    const checkpoint = await openCheckpoint(folder);
    let read = 0;
    const counted = {
      ...checkpoint,
      tensors: checkpoint.tensors,
      require: checkpoint.require.bind(checkpoint),
      readRange: (name: string, at: number, into: Uint8Array) => (
        (read += into.length),
        checkpoint.readRange(name, at, into)
      ),
    };
    let slabs = 0;
    const buffers = new Set<ArrayBufferLike>();
    for await (const slab of streamFused(counted, matrix, { to: 'f16', slabBytes: 20 * 64 * 2 })) {
      slabs++;
      buffers.add(slab.bytes.buffer);
      expect(slab.rowsBegin % headDim).toBe(0);
    }
    expect(slabs).toBe(6);
    expect(read).toBe(96 * 64 * 2);
    expect(folder.opened[0].reads - 2).toBeLessThanOrEqual(8);
    expect(buffers.size).toBe(1);
  });

  it('takes a vector as a matrix of one row', async () => {
    const norm = randomTensor('F32', [7], 3);
    const matrix: FusedMatrix = {
      name: 'norm',
      rows: 1,
      cols: 7,
      parts: [{ tensor: 'n', rows: 1, map: { kind: 'block', offset: 0 } }],
    };
    const [slab] = await collect({ n: norm }, matrix, { to: 'f32', strideCols: 8 });
    expect([...slab.bytes]).toEqual([...norm.data, 0, 0, 0, 0]);
  });

  it('names the element of the tensor, not of the slab, that cannot be converted', async () => {
    const values = new Float32Array(8 * 3);
    values[5 * 3 + 1] = 1e6; // row 5 of the tensor
    const tensors = { q: { dtype: 'F32', shape: [8, 3], data: new Uint8Array(values.buffer) } };
    const matrix: FusedMatrix = {
      name: 'q',
      rows: 8,
      cols: 3,
      parts: [{ tensor: 'q', rows: 8, map: { kind: 'rotary', offset: 0, headDim: 4 } }],
    };
    expect(await messageOf(() => collect(tensors, matrix, { to: 'f16', slabBytes: 1 }))).toMatch(
      /^q: element 16 is 1000000, /,
    );
    values[4] = NaN;
    expect(await messageOf(() => collect(tensors, matrix, { to: 'f32', check: true }))).toMatch(/^q: element 4 is NaN/);
  });

  it('passes a failed read on, also one of the slab ahead, and stops cleanly when the caller does', async () => {
    const matrix: FusedMatrix = {
      name: 'w',
      rows: 16,
      cols: 2,
      parts: [{ tensor: 'w', rows: 16, map: { kind: 'block', offset: 0 } }],
    };
    const folder = new MemoryFolder({ 'model.safetensors': safetensors({ w: randomTensor('F16', [16, 2], 1) }) });
    const checkpoint = await openCheckpoint(folder);
    for await (const slab of streamFused(checkpoint, matrix, { to: 'f16', slabBytes: 8 })) {
      expect(slab.rows).toBe(2);
      break;
    }
    const rest = async () => {
      for await (const slab of streamFused(checkpoint, matrix, { to: 'f16', slabBytes: 8 })) {
        expect(slab.rowsBegin).toBeLessThan(8); // three slabs are read ahead of the one in use
        await checkpoint.close();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await expect(rest()).rejects.toThrow(/read after it was closed/);
  });

  it('refuses layouts that do not fit', async () => {
    const part = (map: FusedPart['map'], rows = 4, tensor = 'w'): FusedPart => ({ tensor, rows, map });
    const check = (rows: number, ...parts: FusedPart[]) =>
      messageOf(() => checkLayout({ name: 'm', rows, cols: 1, parts }));
    expect(await check(4, part({ kind: 'block', offset: 1 }))).toMatch(/row 3 of w goes to 4 of 4 rows/);
    expect(await check(4, part({ kind: 'block', offset: 0 }), part({ kind: 'block', offset: 3 }, 1))).toMatch(
      /filled twice/,
    );
    expect(await check(4, part({ kind: 'rotary', offset: 0, headDim: 8 }))).toMatch(/not heads of 8/);
    expect([0, 1, 2, 3, 4, 5, 6, 7].map((r) => mapRow({ kind: 'rotary', offset: 8, headDim: 4 }, r))).toEqual([
      8, 10, 9, 11, 12, 14, 13, 15,
    ]);
    const tensors = { w: randomTensor('F16', [4, 2], 1) };
    expect(
      await messageOf(() =>
        collect(tensors, { name: 'm', rows: 4, cols: 3, parts: [part({ kind: 'block', offset: 0 })] }, { to: 'f16' }),
      ),
    ).toBe('w: expected [4, 3] float16, found [4, 2] in model.safetensors');
  });

  it.skipIf(!hasStories)('streams a real layer from disk (skipped without ../shared/data)', async () => {
    const checkpoint = await openCheckpoint(await openFolder(stories));
    const layer = 'model.layers.0.self_attn';
    const matrix: FusedMatrix = {
      name: 'layers.0.qkv',
      rows: 128,
      cols: 64,
      parts: [
        { tensor: `${layer}.q_proj.weight`, rows: 64, map: { kind: 'rotary', offset: 0, headDim: 8 } },
        { tensor: `${layer}.k_proj.weight`, rows: 32, map: { kind: 'rotary', offset: 64, headDim: 8 } },
        { tensor: `${layer}.v_proj.weight`, rows: 32, map: { kind: 'block', offset: 96 } },
      ],
    };
    const tensors: Record<string, TensorSpec> = {};
    for (const { tensor, rows } of matrix.parts) {
      const data = new Uint8Array(rows * 64 * 2);
      await checkpoint.readRange(tensor, 0, data);
      tensors[tensor] = { dtype: 'F16', shape: [rows, 64], data };
    }
    const parts: Uint8Array[] = [];
    for await (const { bytes } of streamFused(checkpoint, matrix, { to: 'f32', slabBytes: 5000 }))
      parts.push(bytes.slice());
    expect(parts.length).toBeGreaterThan(3);
    expect(Buffer.compare(Buffer.concat(parts), naive(matrix, tensors, 'f32', 64))).toBe(0);
    await checkpoint.close();
  });
});
