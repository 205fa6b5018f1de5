import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { judged, ledgerRows, markdown } from '../../src/cli/commands/ledger/run.js';
import { packageRoot } from '../../src/platform/node/package-root.js';
import { hardwareById } from '../../src/roofline/hardware/catalogue.js';
import { engineById } from '../../src/roofline/hardware/engines.js';
import { importRows } from '../../src/published/ledger/import.js';
import { closedLoopSeconds, type JudgedRow } from '../../src/published/ledger/judge.js';
import { parseLedger, writeLedger, type LedgerRow } from '../../src/published/ledger/row.js';
import { lineOf, ledgerSummary } from '../../src/published/ledger/summary.js';
import { Predictor } from '../../src/roofline/predict/predictor.js';
import { evidenceOf, intervalOf, likelihood, spreadOf } from '../../src/roofline/hardware/uncertainty.js';
import { preset } from '../roofline/models.js';

const root = packageRoot();
const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
let rows: readonly JudgedRow[] = [];

beforeAll(async () => {
  rows = await judged(await ledgerRows());
});

const mape = (wanted: (row: JudgedRow) => boolean) =>
  ledgerSummary(
    rows.filter((row) => wanted(row) && !row.fit),
    () => 'all',
  )[0]?.mape ?? Infinity;

describe('the ledger', () => {
  test('has a licence and a repository for every source', async () => {
    const sources = JSON.parse(read('models', 'ledger', 'sources.json')) as Record<string, Record<string, string>>;
    for (const source of new Set((await ledgerRows()).map((row) => row.source))) {
      expect(sources[source].licence, source).toMatch(/MIT|BSD|Apache/);
      expect(sources[source].repository, source).toContain('/');
    }
  });

  test('no device is worse than its recorded error, on rows that no fit has seen', () => {
    const recorded = JSON.parse(read('models', 'ledger', 'errors.json')) as Record<
      string,
      { rows: number; mape: number }
    >;
    const found = ledgerSummary(rows, ({ device }) => device);
    expect(found.map(({ group }) => group).sort()).toEqual(Object.keys(recorded).sort());
    for (const { group, unseen, mape: error } of found) {
      expect(unseen, group).toBe(recorded[group].rows);
      expect(error!, group).toBeLessThanOrEqual(recorded[group].mape + 0.0005);
    }
  });

  test('intervals of 90 % hold 85 to 95 % of what no fit has seen, on devices with enough of it', () => {
    const enough = ledgerSummary(rows, ({ device }) => device).filter(({ unseen }) => unseen >= 17);
    expect(enough.length).toBeGreaterThanOrEqual(5);
    for (const { group, within } of enough) {
      expect(within!, group).toBeGreaterThanOrEqual(0.85);
      expect(within!, group).toBeLessThanOrEqual(0.95);
    }
  });

  test.each([1, 2, 4, 8])('tokens of TensorRT-LLM on %i H100s: 10 %% at most', (chips) => {
    expect(mape(({ engine, metric, tp }) => engine === 'trt-llm' && metric === 'tpot' && tp === chips)).toBeLessThan(
      0.1,
    );
  });

  test.each([
    [2, ['ttft', 'tpot', 'e2e']],
    [4, ['ttft', 'tpot', 'e2e']],
    [8, ['ttft', 'tpot']],
  ])('prompts without a queue and tokens on %i chips: 12 %% at most', (tp, metrics) => {
    for (const metric of metrics) {
      const error = mape((row) => {
        const nvidia = row.device.startsWith('h100') || row.device.startsWith('a100');
        return nvidia && row.tp === tp && row.metric === metric && (row.metric !== 'ttft' || row.load === 'batch');
      });
      expect(error, metric).toBeLessThan(0.12);
    }
  });

  test('a server whose one process is slower than its chips serves what that can', () => {
    const engine = { ...engineById('none'), front: { requestSeconds: 1, tokenSeconds: 0.01, ttftShare: 0.5 } };
    const fast = new Predictor(preset('llama-2-7b'), hardwareById('h100-sxm'), { engine });
    const alone = new Predictor(preset('llama-2-7b'), hardwareById('h100-sxm'));
    const shape = { prompt: 128, output: 101, batch: 8 } as const;
    const [ttft, tpot, e2e] = (['ttft', 'tpot', 'e2e'] as const).map((metric) =>
      closedLoopSeconds(fast, { ...shape, metric }),
    );
    expect(ttft + 100 * tpot).toBeCloseTo(e2e, 9);
    expect(e2e).toBeCloseTo(8 * (1 + 101 * 0.01), 2); // its chips are far from being the slower
    const [bareTtft, bareTpot] = (['ttft', 'tpot'] as const).map((metric) =>
      closedLoopSeconds(alone, { ...shape, metric }),
    );
    expect(ttft - bareTtft).toBeCloseTo(100 * (tpot - bareTpot), 9);
  });

  test('whole requests on H100 and A100, and prompts without a queue under engines with graphs: 8 % at most', () => {
    for (const device of ['h100-sxm', 'a100-40']) {
      expect(
        mape((row) => row.device === device && row.metric === 'e2e'),
        device,
      ).toBeLessThan(0.08);
      const prompts = (row: JudgedRow) => row.device === device && row.metric === 'ttft' && row.load === 'batch';
      expect(
        mape((row) => prompts(row) && row.engine !== 'pytorch-eager'),
        device,
      ).toBeLessThan(0.08);
    }
  });

  test('its table in docs/predictor.md is what the command prints', () => {
    const [, table] = /<!-- ledger -->([^]*?)<!-- \/ledger -->/.exec(read('docs', 'predictor.md'))!;
    const cells = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => line.split('|').map((cell) => cell.trim().replace(/^:?-+:?$/, '-')));
    expect(cells(table)).toEqual(cells(markdown(ledgerSummary(rows, lineOf))));
  });

  test('is written as it is read, and a line that is wrong is named', async () => {
    const some = (await ledgerRows()).filter(({ source }) => source === 'splitwise-sim').slice(0, 5);
    expect(parseLedger(writeLedger(some), 'splitwise-sim', 'x')).toEqual(some);
    const text = writeLedger(some).replace(/,batch,1,/, ',batch,-1,');
    expect(() => parseLedger(text, 'x', 'some.csv')).toThrow(/some\.csv, line 2: batch must be a number above 0/);
    expect(() => parseLedger('a,b', 'x', 'some.csv')).toThrow(/lacks device/);
  });
});

const outside = join(root, '..', 'shared', 'data', 'measurements', 'llamacpp_llama3-8b.csv');

describe.skipIf(!existsSync(outside))(
  'llama.cpp on three devices (skipped without the measurements beside the repository)',
  () => {
    let found: readonly JudgedRow[] = [];

    beforeAll(async () => {
      const lines = readFileSync(outside, 'utf8').trim().split('\n').slice(1);
      const measured = lines.map((line, index): LedgerRow => {
        const [device, format, kind, n, rate] = line.split(',');
        const shared = { source: 'x', device, engine: 'llama.cpp', version: '', model: 'llama-3-8b', tp: 1 } as const;
        const weights = format === 'F16' ? 'f16' : 'q4-k-m';
        const fit = index % 2 === 1;
        const [tokens, each] = [Number(n), 1000 / Number(rate)];
        return kind === 'tg'
          ? {
              ...shared,
              weights,
              load: 'bench',
              batch: 1,
              prompt: 1,
              output: tokens + 1,
              metric: 'tpot',
              ms: each,
              fit,
            }
          : {
              ...shared,
              weights,
              load: 'bench',
              batch: 1,
              prompt: tokens,
              output: 1,
              metric: 'ttft',
              ms: tokens * each,
              fit,
            };
      });
      found = await judged(measured);
    });

    test.each([
      ['rtx-4090', 0.06, 0.12],
      ['apple-m1-max', 0.08, 0.12],
      ['apple-m2-ultra', 0.06, 0.12],
    ])('%s: tokens and prompts that no fit has seen', (device, tokens, prompts) => {
      const summaries = ledgerSummary(
        found.filter((row) => row.device === device),
        ({ metric }) => metric,
      );
      expect(summaries.map(({ group, unseen }) => [group, unseen])).toEqual([
        ['tpot', 4],
        ['ttft', 4],
      ]);
      expect(summaries[0].mape!).toBeLessThan(tokens);
      expect(summaries[1].mape!).toBeLessThan(prompts);
    });

    test('intervals of 90 % hold 85 % of them at least', () => {
      const [{ unseen, within }] = ledgerSummary(found, () => 'all');
      expect(unseen).toBe(24);
      expect(within!).toBeGreaterThanOrEqual(0.85);
    });
  },
);

describe('intervals', () => {
  const model = preset('llama-2-7b');
  const on = (id: string, options: object = {}) => new Predictor(model, hardwareById(id), options);

  test('widen with what is not known', () => {
    const spreads = ['h100', 'h200', 'tpu-v6e'].map((id) => spreadOf(on(id, { engine: 'vllm' }), 'tokens'));
    expect(spreads[1]).toBeGreaterThan(spreads[0]);
    expect(spreads[2]).toBeGreaterThan(spreads[1]);
    expect(['h100-sxm', 'h200', 'tpu-v6e'].map((id) => evidenceOf(hardwareById(id), 'vllm'))).toEqual([
      'measured',
      'class',
      'none',
    ]);
    expect(spreadOf(on('h100', { weights: 'int4' }), 'tokens')).toBeGreaterThan(spreadOf(on('h100'), 'tokens'));
    expect(spreadOf(on('b200', { tensorParallel: 2 }), 'tokens')).toBeGreaterThan(spreadOf(on('b200'), 'tokens'));
  });

  test('hold 90 % of a log-normal distribution', () => {
    const { low, high } = intervalOf(2, 0.3);
    expect(likelihood(2, 0.3, 2)).toBeCloseTo(0.5, 6);
    expect(likelihood(2, 0.3, high) - likelihood(2, 0.3, low)).toBeCloseTo(0.9, 3);
    expect(low * high).toBeCloseTo(4, 12);
  });
});

describe('weights that are unpacked', () => {
  test('cost prompts a share of the computing and tokens nothing; in the format of the products nothing', () => {
    const on = (id: string, options: object) => new Predictor(preset('llama-3.1-8b'), hardwareById(id), options);
    for (const id of ['h100', 'apple-m2-ultra']) {
      const [wide, narrow] = [on(id, {}), on(id, { weights: 'int4' })];
      expect(narrow.prefillSeconds(4096) / wide.prefillSeconds(4096), id).toBeGreaterThan(1.1);
      const few = ({ pricer }: Predictor, bytes: number) =>
        pricer.price({ ...token, weightBytes: bytes * 4096 * 4096 }).memorySeconds;
      const token = narrow
        .parts({ sequences: [{ newTokens: 1, context: 0 }], logitRows: 1 })
        .find(({ operation }) => operation.kind === 'matmul')!.operation;
      expect(few(narrow, 0.5) / few(wide, 0.5), id).toBe(1);
    }
    // Of a class without a measurement it is assumed, for tokens too.
    const assumed = (weights: 'int4' | 'int8') => {
      const bytes = { int4: 0.5, int8: 1 }[weights] * 4096 * 4096;
      const few = ({ pricer }: Predictor) => {
        const parts = on('rx-7900-xtx', {}).parts({ sequences: [{ newTokens: 1, context: 0 }], logitRows: 1 });
        const { operation } = parts.find((part) => part.operation.kind === 'matmul')!;
        return pricer.price({ ...operation, weightBytes: bytes }).memorySeconds;
      };
      return few(on('rx-7900-xtx', {})) / few(on('rx-7900-xtx', { weights }));
    };
    expect([assumed('int4'), assumed('int8')].map((each) => Number(each.toFixed(4)))).toEqual([0.74, 0.87]);
    const token = (options: object) => on('h100', options).decodeSeconds(64, 1);
    expect(token({ weights: 'int8', compute: 'int8' })).toBeLessThanOrEqual(token({ weights: 'int8' }));
    const gain = (id: string) => on(id, {}).decodeSeconds(64, 1) / on(id, { weights: 'int4' }).decodeSeconds(64, 1);
    // A launch costs what it does whatever the format, and more on Apple.
    expect(gain('rtx-4090')).toBeGreaterThan(3);
    expect(gain('apple-m2-ultra')).toBeLessThan(gain('rtx-4090'));
  });
});

describe('import', () => {
  const known = { source: 'own', device: 'rtx-4090', engine: 'llama.cpp', model: 'llama-3-8b' };

  test('llama-bench: prompts and generation, no mixes', () => {
    const tests = [
      { n_prompt: 512, n_gen: 0, n_depth: 0, avg_ns: 54e6 },
      { n_prompt: 0, n_gen: 128, n_depth: 1024, avg_ns: 2.56e9 },
      { n_prompt: 512, n_gen: 128, n_depth: 0, avg_ns: 3e9 },
    ];
    const found = importRows(JSON.stringify(tests), { ...known, weights: 'q4-k-m' }, 'x');
    expect(found).toMatchObject([
      { metric: 'ttft', prompt: 512, ms: 54, load: 'bench', weights: 'q4-k-m' },
      { metric: 'tpot', prompt: 1024, output: 129, ms: 20 },
    ]);
    expect(importRows(tests.map((each) => JSON.stringify(each)).join('\n'), known, 'x')).toHaveLength(2);
  });

  test('vLLM and SGLang: lengths and clients', () => {
    const vllm = {
      completed: 10,
      max_concurrency: 4,
      total_input_tokens: 10240,
      total_output_tokens: 1280,
      mean_ttft_ms: 80,
      mean_tpot_ms: 9,
    };
    expect(importRows(JSON.stringify(vllm), known, 'x')).toMatchObject([
      { metric: 'ttft', load: 'closed', batch: 4, prompt: 1024, output: 128, ms: 80 },
      { metric: 'tpot', ms: 9 },
    ]);
    const sglang = { ...vllm, backend: 'sglang', request_rate: 'inf' };
    expect(importRows(`${JSON.stringify(sglang)}\n${JSON.stringify(sglang)}`, known, 'x')).toHaveLength(4);
  });

  test('AIPerf: averages', () => {
    const found = {
      time_to_first_token: { unit: 'ms', avg: 70 },
      inter_token_latency: { unit: 'ms', avg: 8 },
      input_sequence_length: { avg: 1000.4 },
      output_sequence_length: { avg: 200 },
      input_config: { loadgen: { concurrency: 16 } },
    };
    expect(importRows(JSON.stringify(found), known, 'x')).toMatchObject([
      { metric: 'ttft', batch: 16, prompt: 1000, output: 200, ms: 70 },
      { metric: 'tpot', ms: 8 },
    ]);
  });

  test('says what is wrong', () => {
    expect(() => importRows('{', known, 'a.json')).toThrow(/a\.json: cannot be read as JSON/);
    expect(() => importRows('{"completed": 3}', known, 'a.json')).toThrow(/number of clients/);
  });
});
