import { describe, expect, it } from 'vitest';
import { bytesInFlight, bytesNeeded, ESTIMATED, estimate, parsePipeline } from '../../bench/estimate/estimate.js';
import type { RecordedLaunch } from '../../bench/estimate/record.js';
import { forwardOperations } from '../../src/model/cost.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { precisionOf } from '../../src/roofline/hardware/precision.js';
import { CONFIG } from './made-up.js';

const [H100, H200] = ESTIMATED;
const config = {
  ...CONFIG,
  ...{ layers: 1, hidden: 4096, intermediate: 11008, heads: 32, kvHeads: 32, headDim: 128, vocab: 32000 },
};
const precision = precisionOf({ weights: 'f16', kv: 'f16', compute: 'f32' }, 'shader');
const operation = (name: string, batch = 1) =>
  forwardOperations(config, decodeStep(512, batch), precision).find((each) => each.name === `layers.0.${name}`)!;
const launch = (pipeline: string, ...grid: [number, number, number]): RecordedLaunch => ({
  operation: '',
  pipeline,
  grid,
});
const KIB = 1024;

describe('estimates', () => {
  it('read a kernel’s parameters from its name', () => {
    const { shader, defines } = parsePipeline('matmul_vec(MT=1,R=4,WG=64,subgroups)');
    expect(shader).toBe('matmul_vec');
    expect([...defines]).toEqual([
      ['MT', 1],
      ['R', 4],
      ['WG', 64],
      ['subgroups', true],
    ]);
    expect(parsePipeline('embed()').defines.size).toBe(0);
  });

  it('count the bytes on their way to a multiprocessor, and those that memory wants', () => {
    // 4096 outputs, 4 a subgroup, 16 bytes of each a lane: 2 MiB over 132 multiprocessors.
    const narrow = launch('matmul_vec(MT=1,R=4,WG=64)', 512, 1, 1);
    expect(bytesInFlight(narrow, H200)! / KIB).toBeCloseTo(15.5, 1);
    expect(bytesInFlight(launch('matmul_vec(MT=1,R=2,STEPS=4,WG=64)', 1024, 1, 1), H200)! / KIB).toBeCloseTo(62.1, 1);
    expect(bytesInFlight(launch('rms_norm(WG=256)', 1, 1, 1), H200)).toBeUndefined();
    expect(bytesNeeded(H200) / KIB).toBeCloseTo(20.7, 1);
    expect(bytesNeeded(H100)).toBeLessThan(bytesNeeded(H200));
  });

  it('take a product with too few bytes on their way for slower than its floor, and none for faster', () => {
    const o = operation('o_proj');
    const few = estimate(o, launch('matmul_vec(MT=1,R=4,WG=64)', 512, 1, 1), H200);
    const many = estimate(o, launch('matmul_vec(MT=1,R=2,STEPS=4,WG=64)', 1024, 1, 1), H200);
    expect(few.seconds / few.floor).toBeGreaterThan(1.3);
    expect(many.seconds - many.floor).toBeCloseTo(H200.launchSeconds, 9);
  });

  it('count weights again for every group of rows', () => {
    const o = operation('o_proj', 32);
    const once = estimate(o, launch('matmul_vec(MT=8,R=2,WG=64)', 4096, 1, 1), H200);
    const often = estimate(o, launch('matmul_vec(MT=8,R=2,WG=64)', 4096, 4, 1), H200);
    const bare = (seconds: number) => seconds - H200.launchSeconds;
    expect(bare(often.seconds) / bare(once.seconds)).toBeCloseTo(4, 1);
  });

  it('count the steps of a tile, none of which is shorter than memory’s delay', () => {
    const step = { sequences: [{ newTokens: 64, context: 0, prefill: true }], logitRows: 1 };
    const o = forwardOperations(config, step, precision).find(({ name }) => name === 'layers.0.o_proj')!;
    const tile = (k8: number) =>
      `matmul_matrix(LANES=32,STAGED=2176,STAGES=1,SUB_M=32,SUB_N=32,THREADS=128,TILE_K8=${k8},TILE_M=64,TILE_N=64,half_rows)`;
    const [short, long] = [4, 16].map((k8) => estimate(o, launch(tile(k8), 64, 1, 1), H200).seconds);
    expect(short - H200.launchSeconds).toBeCloseTo((4096 / 32) * 710e-9, 7);
    expect(long - H200.launchSeconds).toBeCloseTo((4096 / 128) * 710e-9, 7);
  });

  it('count idle multiprocessors of the last wave of tiles', () => {
    const step = { sequences: [{ newTokens: 512, context: 0, prefill: true }], logitRows: 1 };
    const o = forwardOperations(config, step, precision).find(({ name }) => name === 'layers.0.gate_up')!;
    const tile = 'matmul_matrix(TILE_M=128,TILE_N=128,THREADS=128,half_rows)';
    const whole = estimate(o, launch(tile, 33, 4, 1), H200); // 132 tiles
    const ragged = estimate(o, launch(tile, 34, 4, 1), H200);
    expect(ragged.seconds / whole.seconds).toBeGreaterThan(1.5);
  });
});
