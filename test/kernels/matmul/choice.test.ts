import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../../src/gpu/capabilities.js';
import {
  chosenFor,
  defaultMatmulChoice,
  PROMPT_ROWS,
  runnableMatmuls,
  selectMatmul,
} from '../../../src/kernels/matmul/choice.js';
import { matmulVariants } from '../../../src/kernels/matmul/kernel.js';
import { tileSeconds } from '../../../src/kernels/matmul/tile-time.js';
import { NVIDIA_MATRICES } from '../../support/nvidia-matrices.js';

const GPU = {
  isCpu: false,
  excluded: [],
  subgroups: true,
  subgroupId: true,
  subgroupMinSize: 32,
  subgroupMaxSize: 32,
  subgroupMatrixConfigs: [],
  maxInvocations: 1024,
} as unknown as Capabilities;
const NEED = { n: 4096, k: 4096, sequences: 1 };
const widthsOf = (capabilities: Capabilities) => {
  const all = matmulVariants({ dtype: 'f16', lanes: 1 }, capabilities);
  return selectMatmul(all, capabilities, NEED).decode;
};

describe('the choice of matmul variants', () => {
  it('is by default one order of sums, a variant a width', () => {
    for (const subgroups of [true, false]) {
      for (const isCpu of [true, false]) {
        const decode = widthsOf({ ...GPU, subgroups, isCpu });
        expect(decode.map(({ rows }) => rows)).toEqual([1, 2, 4, 8]);
        expect(decode.every(({ rows, variant }) => rows === variant.rowsPerGroup)).toBe(true);
        expect(new Set(decode.map(({ variant }) => variant.order)).size).toBe(1);
      }
    }
  });

  it('leaves out what does not run', () => {
    const all = matmulVariants({ dtype: 'f16', lanes: 1 }, { ...GPU, subgroups: false });
    const runnable = runnableMatmuls(all, { ...GPU, subgroups: false });
    expect(runnable.decode.length).toBeGreaterThan(0);
    expect(runnable.decode.length).toBeLessThan(all.decode.length);
  });

  it('takes what it is told, and refuses mixed orders and names there are not', () => {
    const all = matmulVariants({ dtype: 'f16', lanes: 1 }, GPU);
    const usual = defaultMatmulChoice(runnableMatmuls(all, GPU), NEED);
    const { decode } = runnableMatmuls(all, GPU);
    const lanes = matmulVariants(
      { dtype: 'f16', lanes: 8 },
      { ...GPU, isCpu: true, subgroupMinSize: 8, subgroupMaxSize: 8 },
    );
    expect(lanes.decode[0].name).toBe('lanes1');
    const other = decode.find(({ order }) => order !== decode[0].order)!;
    const choose = (names: string[]) =>
      selectMatmul(all, GPU, NEED, { ...usual, decode: names.map((variant, i) => ({ rows: 2 ** i, variant })) });
    expect(choose([decode[0].name, decode[0].name]).decode.map(({ variant }) => variant.name)).toEqual([
      decode[0].name,
      decode[0].name,
    ]);
    expect(() => choose([decode[0].name, other.name])).toThrow('different orders of sums');
    expect(() => choose(['nobody'])).toThrow('nobody does not exist');
    expect(() => choose([])).toThrow('needs a variant');
    expect(() => selectMatmul(all, { ...GPU, subgroups: false }, NEED, usual)).toThrow('does not run on this adapter');
  });
});

describe('the tile of a prompt', () => {
  const NVIDIA = {
    ...GPU,
    ...{ f16: true, subgroupMatrixConfigs: NVIDIA_MATRICES, maxWorkgroupBytes: 48 * 1024 },
  } as Capabilities;
  const all = matmulVariants({ dtype: 'f16', lanes: 1 }, NVIDIA);
  const usual = (n: number, k: number) => defaultMatmulChoice(all, { n, k, sequences: 1 });
  const tileOf = (name: string) => all.prefill.find((each) => each.name === name)!.tile!;
  const SIZES = [
    [4096, 4096],
    [12288, 4096],
    [22016, 4096],
    [4096, 11008],
  ] as const;

  it('is the largest for long ones, and one that fills more of the GPU for short ones', () => {
    for (const [n, k] of SIZES) {
      const { prefill } = usual(n, k);
      expect(chosenFor(prefill, 2048)).toBe('matrix16x16x16-256x128-8');
      expect(chosenFor(prefill, 5000)).toBe(chosenFor(prefill, 2048));
      const short = tileOf(chosenFor(prefill, 128));
      expect(short.m).toBeLessThanOrEqual(128);
      expect(chosenFor(prefill, 1)).toBe(chosenFor(prefill, 128));
    }
    // 4096 outputs of 512 rows are 64 tiles of 256x128 and 128 of 128x128, for 132 multiprocessors.
    const { m, n } = tileOf(chosenFor(usual(4096, 4096).prefill, 512));
    expect([m, n]).toEqual([128, 128]);
  });

  it('is of one order of sums, by rising rows, and clearly faster than the one for long prompts', () => {
    const orders = new Map(all.prefill.map(({ name, order }) => [name, order]));
    for (const [n, k] of SIZES) {
      const { prefill } = usual(n, k);
      expect(new Set(prefill.map(({ variant }) => orders.get(variant)))).toEqual(new Set(['matrix16x16x16']));
      expect(prefill.map(({ rows }) => rows)).toEqual([...prefill.map(({ rows }) => rows)].sort((a, b) => a - b));
      for (const rows of PROMPT_ROWS) {
        const chosen = tileSeconds(tileOf(chosenFor(prefill, rows)), rows, n, k);
        const longest = tileSeconds(tileOf(chosenFor(prefill, 2048)), rows, n, k);
        expect(chosen === longest || chosen * 1.1 < longest, `${rows} rows of ${n}x${k}`).toBe(true);
      }
    }
  });

  it('is estimated by waves of workgroups and by the steps that each takes', () => {
    const large = tileOf('matrix16x16x16-256x128-8');
    // 64, 128 and 160 tiles: one wave, one wave, two.
    const [half, whole, more] = [512, 1024, 1280].map((rows) => tileSeconds(large, rows, 4096, 4096));
    expect(half).toBe(whole);
    expect(more / whole).toBeCloseTo(2, 9);
    expect(tileSeconds(large, 512, 4096, 8192) / half).toBeCloseTo(2, 9);
    // Four times the columns a step: where memory's delay is what a step takes, a quarter of the time.
    const [short, long] = ['64x64', '64x64-k128'].map((name) => tileOf(`matrix16x16x16-${name}`));
    expect(tileSeconds(short, 64, 4096, 4096) / tileSeconds(long, 64, 4096, 4096)).toBeCloseTo(4, 1);
  });

  it('is one whatever the rows where tiles add in orders of their own', () => {
    const halves = NVIDIA_MATRICES.filter(({ resultComponentType }) => resultComponentType === 'f16');
    const adapter = { ...NVIDIA, subgroupMatrixConfigs: halves };
    const own = defaultMatmulChoice(matmulVariants({ dtype: 'f16', lanes: 1 }, adapter), NEED);
    expect(own.prefill).toHaveLength(1);
    const plain = defaultMatmulChoice(runnableMatmuls(matmulVariants({ dtype: 'f16', lanes: 1 }, GPU), GPU), NEED);
    expect(plain.prefill).toHaveLength(1);
  });
});
