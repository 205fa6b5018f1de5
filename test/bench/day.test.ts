import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ceilingsOf, floorMs } from '../../bench/day/floor.js';
import { dayPage, type Day } from '../../bench/day/page.js';
import { bestOf, peerSchema, type Peer } from '../../bench/day/peer.js';
import { productRows, tokenRows } from '../../bench/day/rows.js';
import type { KernelRecord, KernelsResult } from '../../bench/kernels/schema.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { decodeStep } from '../../src/roofline/predict/decode-line.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { precisionOf } from '../../src/roofline/hardware/precision.js';
import { runBench } from '../../bench/runner.js';
import { begun, CONFIG, measureFake } from './made-up.js';

const sample = peerSchema.parse(
  JSON.parse(readFileSync(join(packageRoot(), 'scripts', 'kit', 'peer-sample.json'), 'utf8')),
);
const H200 = hardwareById('h200');

describe('the peer’s stored sample', () => {
  it('says that it is one, and has every point that the page asks for', () => {
    expect(sample.sample).toBe(true);
    for (const prompt of [128, 512, 2048]) {
      expect(bestOf(sample, { kind: 'ttft', prompt }).map(({ engine }) => engine)).toEqual([
        'plain PyTorch',
        'transformers',
      ]);
    }
    for (const [context, batch] of [
      [16, 1],
      [512, 1],
      [2048, 1],
      [512, 8],
      [512, 32],
    ]) {
      expect(bestOf(sample, { kind: 'tpot', context, batch })).toHaveLength(2);
    }
    expect(bestOf(sample, { kind: 'tpot', context: 77, batch: 1 })).toEqual([]);
  });

  it('stands with the better of steps and graphs', () => {
    const of = (graph: boolean, ms: number): Peer['llama'][number] => ({
      ...{ engine: 'x', graph, kind: 'ttft', prompt: 8, batch: 1, ms },
    });
    const peer = { ...sample, llama: [of(false, 5), of(true, 3), of(true, 4)] };
    expect(bestOf(peer, { kind: 'ttft', prompt: 8 })).toEqual([{ engine: 'x', ms: 3, graph: true }]);
  });
});

describe('the floor', () => {
  const config = {
    ...CONFIG,
    ...{ layers: 32, hidden: 4096, intermediate: 11008, heads: 32, kvHeads: 32, headDim: 128, vocab: 32000 },
  };
  const precision = precisionOf({ weights: 'f16', kv: 'f16', compute: 'f32' }, 'shader');

  it('is the weights, keys and values once through memory, or the products on the matrix units', () => {
    const ceilings = { bytesPerSecond: 4.8e12, flopsPerSecond: 989e12, source: '' };
    // 6.607e9 weights without the embedding, and half a MiB of keys and values a token.
    const bytes = 2 * 6.607e9 + 512 * 2 ** 19;
    expect(floorMs(config, decodeStep(512, 1), precision, ceilings)).toBeCloseTo((1000 * bytes) / 4.8e12, 1);
    const prompt = { sequences: [{ newTokens: 2048, context: 0, prefill: true }], logitRows: 1 };
    const flops = 2 * 2048 * 6.476e9;
    expect(floorMs(config, prompt, precision, ceilings)).toBeGreaterThan((1000 * flops) / 989e12);
    expect(floorMs(config, prompt, precision, ceilings)).toBeLessThan((1.1 * 1000 * flops) / 989e12);
  });

  it('comes from what was reached, and from the data sheet where that is past belief', () => {
    expect(ceilingsOf(H200, undefined, sample)).toMatchObject({ bytesPerSecond: 4.29e12 });
    const boast = { ...sample, copy: { bytes_per_second: 9e13 } };
    expect(ceilingsOf(H200, undefined, boast)).toMatchObject({ bytesPerSecond: 4.8e12 });
    expect(ceilingsOf(undefined, undefined, boast)?.bytesPerSecond).toBe(9e13);
    expect(ceilingsOf(undefined, undefined, undefined)).toBeUndefined();
  });
});

describe('the page of a run', () => {
  const kernel = (variant: string, ms: number, changes: Partial<KernelRecord> = {}): KernelRecord => ({
    ...{
      kind: 'matmul',
      model: 'm',
      operation: 'o_proj',
      shape: '4096x4096',
      slice: null,
      dtype: 'f16',
      rows: 1,
      context: 0,
    },
    ...{
      variant,
      default: variant === 'vec1',
      samples_ms: [ms],
      median_ms: ms,
      spread: 0,
      bytes: 2 << 24,
      gb_per_s: 1,
    },
    ...{ flops: 2 << 24, tflop_per_s: 1, ceiling: null },
    ...changes,
  });
  const kernels = (...records: KernelRecord[]): KernelsResult => ({ records }) as unknown as KernelsResult;

  it('has of every product the fastest variant, with and without checks, beside torch’s', () => {
    const [row] = productRows(kernels(kernel('vec1', 0.02), kernel('vec2', 0.015)), kernels(kernel('vec2', 0.014)), {
      peer: sample,
      ceilings: ceilingsOf(H200, undefined, sample),
    });
    expect([row.best.variant, row.usual?.variant, row.unchecked?.median_ms]).toEqual(['vec2', 'vec1', 0.014]);
    expect(row.torch).toBe(sample.gemv.find(({ operation, rows }) => operation === 'o_proj' && rows === 1)!.ms);
    expect(row.floor).toBeCloseTo(1000 * ((2 << 24) / 4.29e12), 6);
  });

  it('shows ours, the floor, the prediction and the peer, and says where the peer is a sample', async () => {
    const result = await runBench(
      begun(),
      [
        { kind: 'ttft', id: 'ttft p8', prompt: 8 },
        { kind: 'tpot', id: 'tpot c16 b1 g4', context: 16, batch: 1, gen: 4 },
      ],
      measureFake(),
    );
    const peer = {
      ...sample,
      llama: [
        { engine: 'transformers', graph: true, kind: 'ttft', prompt: 8, batch: 1, ms: 7.25 } as const,
        { engine: 'plain PyTorch', graph: true, kind: 'tpot', context: 16, batch: 1, ms: 3.125 } as const,
      ],
    };
    const tokens = tokenRows(result, undefined, { ceilings: ceilingsOf(H200, undefined, sample), listed: H200, peer });
    expect(tokens.map(({ name }) => name)).toEqual(['TTFT, prompt of 8', 'TPOT, 1 after 16']);
    for (const row of tokens)
      for (const value of [row.ours, row.floor, row.predicted]) expect(value).toBeGreaterThan(0);
    const day: Day = {
      summary: {
        ...{
          date: '2026-01-02',
          adapter: 'Made <up> GPU',
          driver: 'd',
          source: 'hardware',
          kit: {},
          machine: {},
          tests: null,
        },
        stages: [{ name: 'probe', exit: 139, seconds: 1, said: 'it crashed' }],
      },
      ...{ model: 'llama', tokens, products: [], ceilings: undefined, predictedFrom: undefined, peer, pipelines: [] },
      load: {
        bytes: 13.5e9,
        load_ms: { weights: 9000, total: 12_300 },
        gb_per_s: 1.5,
        cpu_s: 7,
        peak_bytes: 400 * 2 ** 20,
      },
    };
    const html = dayPage(day);
    expect(html).toContain('a stored sample, made up');
    expect(html).toContain('transformers (sample)');
    expect(html).toContain('Made &lt;up&gt; GPU');
    expect(html).toContain(
      '13.5 GB of weights in 9.0 s, 1.5 GB/s; from nothing to a ready engine 12.3 s of at most 15',
    );
    expect(dayPage({ ...day, load: undefined })).not.toContain('Loading');
    const part = { ...day.load!, layers: 4, of_layers: 32, whole_expected_s: 98.4 };
    expect(dayPage({ ...day, load: part })).toContain('4 of 32 layers, since all would take some 98 s');
    for (const text of ['7.25', '3.13', 'it crashed', '139']) expect(html).toContain(text);
    expect(dayPage({ ...day, peer: { ...peer, sample: false } })).not.toMatch(/class="sample"|\(sample\)/);
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
  });
});
