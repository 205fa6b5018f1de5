import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tablePrice } from '../../src/cli/commands/simulate/table-price.js';
import { predictorOf } from '../../src/published/seeds/subjects.js';
import { PredictedPrice } from '../../src/simulator/price/predicted.js';
import type { StepLoad } from '../../src/simulator/price/price.js';

const PROFILES = '../shared/data/profiles';
let folder: string;
const file = async (name: string, lines: readonly string[]): Promise<string> => {
  const path = join(folder, name);
  await writeFile(path, `${lines.join('\r\n')}\r\n`);
  return path;
};
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'ridgepoint-table-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const step = (decodeRows: number, prompts: StepLoad['prompts'] = []): StepLoad => ({
  decodeRows,
  decodeKeys: 100 * decodeRows,
  prompts,
  logitRows: decodeRows + prompts.length,
});
const LAYER =
  'input_layernorm attn_pre_proj attn_rope attn_post_proj post_attention_layernorm mlp_up_proj mlp_act mlp_down_proj add';
/** Rows of Vidur's table, every operation of a layer taking so many milliseconds. */
const vidur = (rows: readonly (readonly [tokens: number, parallel: number, ms: number])[], width = 4096): string[] => [
  [
    ...LAYER.split(' ').map((name) => `time_stats.${name}.median`),
    'n_embd',
    'num_tokens',
    'num_tensor_parallel_workers',
  ].join(','),
  ...rows.map(([tokens, parallel, ms]) => [...LAYER.split(' ').map(() => ms), width, tokens, parallel].join(',')),
];

describe('a table of prices', () => {
  const predictor = predictorOf('llama-2-7b', 'h100-sxm');

  it('of Vidur has the layers but attention as measured, and the rest as predicted', async () => {
    const rows = [1, 2].flatMap(
      (parallel) =>
        [
          [1, parallel, 0.01 / parallel],
          [65, parallel, 0.05],
        ] as const,
    );
    const price = await tablePrice(await file('mlp.csv', vidur(rows)), predictor, 'h100-sxm');
    const predicted = new PredictedPrice(predictor);
    const one = 32 * 9 * 0.01e-3;
    const rest = (load: StepLoad, measured: number): number => price.seconds(load) - measured;
    // What is left of a step of a row: attention, embedding, logits and sampling, less than all that was predicted.
    expect(rest(step(1), one)).toBeGreaterThan(0);
    expect(rest(step(1), one)).toBeLessThan(predicted.seconds(step(1)) / 4);
    // Longer contexts cost what attention is predicted to cost more.
    const long = { ...step(1), decodeKeys: 3000 };
    expect(price.seconds(long) - price.seconds(step(1))).toBeCloseTo(
      predicted.seconds(long) - predicted.seconds(step(1)),
      12,
    );
    // Lines between: a step of 33 tokens is half way.
    const chunk = step(1, [{ begin: 0, end: 32 }]);
    expect(rest(chunk, 32 * 9 * 0.03e-3)).toBeLessThan(rest(chunk, one));
    expect(rest(chunk, 32 * 9 * 0.03e-3)).toBeGreaterThan(0);
    expect(price.outside).toMatchObject({ steps: 0 });
    price.seconds(step(66));
    expect(price.outside).toMatchObject({ steps: 1 });
  });

  it('of Vidur has all-reduces as measured where their file is beside it, those of chips in one machine', async () => {
    const pair = predictorOf('llama-2-7b', 'h100-sxm', { tensorParallel: 2 });
    const rows = [1, 65].map((tokens) => [tokens, 2, 0.05] as const);
    const alone = await tablePrice(await file('alone_mlp.csv', vidur(rows)), pair, 'h100-sxm');
    const path = await file('with_mlp.csv', vidur(rows));
    const beside = await file('with_all_reduce.csv', [
      ',time_stats.all_reduce.median,num_workers,size,collective,devices_per_node',
      '0,0.1,2,8192,all_reduce,2',
      '1,0.5,2,40960,all_reduce,2',
      '2,9.9,2,8192,all_reduce,1',
      '3,7.7,4,8192,all_reduce,4',
    ]);
    const price = await tablePrice(path, pair, 'h100-sxm');
    const predicted = (tokens: number): number =>
      pair.linkSeconds({ sequences: [{ newTokens: tokens, context: 0 }], logitRows: 1 });
    // A token is 4096 numbers of f16, and there are 64 all-reduces in 32 layers.
    for (const [rows, ms] of [
      [1, 0.1],
      [3, 0.3],
      [5, 0.5],
    ])
      expect(price.seconds(step(rows)) - alone.seconds(step(rows))).toBeCloseTo((64 * ms) / 1000 - predicted(rows), 12);
    expect(price.outside).toMatchObject({ steps: 0 });
    price.seconds(step(6));
    expect(price.outside).toMatchObject({ steps: 1 });
    await writeFile(beside, 'size,num_workers\n8192,2\n');
    await expect(tablePrice(path, pair, 'h100-sxm')).rejects.toThrow(`${beside}: is no all_reduce.csv of Vidur`);
    await writeFile(
      beside,
      'time_stats.all_reduce.median,num_workers,size,devices_per_node\n0.1,4,8192,4\n0.1,2,8192,1\n',
    );
    await expect(tablePrice(path, pair, 'h100-sxm')).rejects.toThrow('no all-reduces of 2 chips in one machine');
    // One chip has nothing to reduce.
    const single = await file('with_mlp.csv', vidur(rows.map(([tokens, , ms]) => [tokens, 1, ms])));
    expect((await tablePrice(single, predictor, 'h100-sxm')).seconds(step(1))).toBeGreaterThan(0);
  });

  it('of splitwise-sim is of the model, the chip and the number of chips', async () => {
    const head = 'model,hardware,tensor_parallel,prompt_size,batch_size,prompt_time,token_time';
    const rows = ['bloom-176b,h100-80gb,8,128,1,100,30', 'bloom-176b,h100-80gb,8,256,1,200,40'];
    const path = await file('perf_model.csv', [head, ...rows]);
    const bloom = predictorOf('bloom-176b', 'h100-sxm', { tensorParallel: 8 });
    const price = await tablePrice(path, bloom, 'h100-sxm');
    expect(price.seconds(step(0, [{ begin: 0, end: 192 }]))).toBeCloseTo(0.15, 12);
    await expect(tablePrice(path, predictor, 'h100-sxm')).rejects.toThrow('it has bloom-176b on h100-80gb, TP8');
  });

  it.skipIf(!existsSync(PROFILES))(
    'of Vidur, layers and all-reduces of eight H100s, is near what is predicted of them (skipped without data)',
    async () => {
      const eight = predictorOf('llama-2-7b', 'h100-sxm', { tensorParallel: 8 });
      const [head, ...lines] = readFileSync(`${PROFILES}/vidur_allreduce_dgx.csv`, 'utf8').trim().split(/\r?\n/);
      expect(head).toBe('device,chips,bytes,median_ms,min_ms');
      // Vidur's own columns again; the A100's rows here no longer say which of them crossed machines.
      await file('vidur_all_reduce.csv', [
        'time_stats.all_reduce.median,num_workers,size,devices_per_node',
        ...lines.flatMap((line) => {
          const [device, chips, bytes, ms] = line.split(',');
          return device === 'h100' ? [[ms, chips, bytes, chips].join(',')] : [];
        }),
      ]);
      const path = join(folder, 'vidur_mlp.csv');
      await copyFile(`${PROFILES}/vidur_h100_llama2-7b_mlp.csv`, path);
      const price = await tablePrice(path, eight, 'h100-sxm');
      const predicted = new PredictedPrice(eight);
      const ratios = [step(1), step(32), step(0, [{ begin: 0, end: 512 }]), step(16, [{ begin: 0, end: 2048 }])].map(
        (load) => price.seconds(load) / predicted.seconds(load),
      );
      // Rows that decode were launched by Python one operation after the other, which takes longer than they do.
      expect(ratios.map((ratio) => ratio.toFixed(2))).toEqual(['1.30', '1.57', '1.01', '1.11']);
      expect(price.outside).toMatchObject({ steps: 0 });
    },
  );

  it.each([
    ['of another width', vidur([[1, 1, 0.01]], 5120), 'layers 5120 wide'],
    ['of other numbers of chips', vidur([[1, 2, 0.01]]), 'no times for 1 chips; it has those of 2'],
    ['of nothing that is known', ['a,b', '1,2'], "it must be splitwise-sim's perf_model.csv"],
  ])('%s is refused by name', async (_, lines, says) => {
    const path = await file('wrong.csv', lines);
    await expect(tablePrice(path, predictor, 'h100-sxm')).rejects.toThrow(`${path}: `);
    await expect(tablePrice(path, predictor, 'h100-sxm')).rejects.toThrow(says);
  });
});
