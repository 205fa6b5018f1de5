import { describe, expect, it } from 'vitest';
import { Gpu } from '../../src/gpu/gpu.js';
import { kernelChoices } from '../../src/tuning/choices.js';
import { contestsOf, type ModelContest } from '../../src/tuning/contests.js';
import { GpuLaboratory } from '../../src/tuning/laboratory.js';
import { holdsChoice, tune } from '../../src/tuning/tune.js';
import { prefillAttentionVariants } from '../../src/kernels/attention/kernel.js';
import { matmulVariants } from '../../src/kernels/matmul/kernel.js';
import { layoutOn } from '../../src/kernels/matmul/trial.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import { parseConfig } from '../../src/model/config.js';
import { adapters, openTestAdapter, testGpu } from '../support/adapters.js';
import { chosen, isFull } from '../support/scale.js';
import { TINY } from '../engine/support.js';
import { shaderText } from '../../src/gpu/shader-source.js';

const CONFIG = parseConfig({ ...TINY, hidden_size: 72, intermediate_size: 100 });

const F16 = { dtype: 'f16', head: 'f16' } as const;
const W8A8 = { dtype: 'int8-g32-zp', head: 'f16', activations: 'int8' } as const;
const contestsOn = (gpu: Gpu, kv: KvStored = 'f16', formats: typeof F16 | typeof W8A8 = F16): readonly ModelContest[] =>
  contestsOf(CONFIG, { formats, sequences: 8, kv }, gpu).contests;
const find = (list: readonly ModelContest[], start: string): ModelContest =>
  list.find(({ key }) => key.startsWith(start))!;
const check = (gpu: Gpu, contest: ModelContest) => new GpuLaboratory(gpu).open(contest, (bench) => bench.check());

describe.each(adapters)('the laboratory on %s', (name) => {
  const contests = [
    ...['matmul few', 'matmul many', 'attention decode', 'attention prefill'].map((start) => [start, 'f16'] as const),
    ...['attention decode', 'attention prefill'].map((start) => [start, 'int8'] as const),
  ];
  it.each(chosen(contests, (_, i) => i === 2))('finds every variant right: %s, %s cache', async (start, kv) => {
    const gpu = await testGpu(name);
    const before = gpu.allocatedBytes;
    const contest = find(contestsOn(gpu, kv), start);
    expect(contest.candidates.length).toBeGreaterThan(1);
    expect(await check(gpu, contest)).toEqual([]);
    // Timestamps alone stay, until the laboratory is gone.
    expect(gpu.allocatedBytes - before).toBeLessThan(1024);
  });
});

describe('attention with a window in some layers', () => {
  const config = { ...CONFIG, window: 100, windowed: Array.from({ length: CONFIG.layers }, (_, i) => i > 0) };
  const contestOf = (gpu: Gpu, phase: string): ModelContest =>
    find(contestsOf(config, { formats: F16, sequences: 8, kv: 'f16' }, gpu).contests, `attention ${phase}`);

  it.each(['decode', 'prefill'])('is found right in both kinds of layers: %s', async (phase) => {
    const gpu = await testGpu(adapters[0]);
    const contest = contestOf(gpu, phase);
    expect(contest.key).toMatch(/ window 100 in some layers$/);
    expect(contest.fingerprint).not.toBe(find(contestsOn(gpu), `attention ${phase}`).fingerprint);
    // One variant is enough here: of each with a window the kernels' own tests know.
    expect(await new GpuLaboratory(gpu).open(contest, (bench) => bench.check([contest.cases[0].usual]))).toEqual([]);
  });

  it('is found wrong where only layers with a window are', async () => {
    const from = 'return position + 1u - min(position + 1u, params.window);';
    const source = await openTestAdapter(adapters[0]);
    const readShader = (path: string): string => {
      const text = shaderText(path);
      if (path !== 'attention/attention.wgsl') return text;
      expect(text).toContain(from);
      return text.replace(from, 'return position + 1u - min(position + 1u, params.window + 1u);');
    };
    const gpu = await Gpu.open({ ...source, readShader });
    try {
      const contest = contestOf(gpu, 'prefill');
      const { usual } = contest.cases[0];
      const dropped = await new GpuLaboratory(gpu).open(contest, (bench) => bench.check([usual]));
      expect(dropped).toEqual([{ name: usual, reason: expect.stringContaining('from the reference') as string }]);
    } finally {
      await gpu.dispose();
    }
  });
});

it.runIf(isFull)('finds the variants of products in 8 bits right, which are a contest of their own', async () => {
  const gpu = await testGpu(adapters[0]);
  const contests = contestsOn(gpu, 'f16', W8A8);
  const many = contests.filter(({ key }) => key.startsWith('matmul many'));
  expect(many.every(({ key }) => key.startsWith('matmul many int8-g32-zp by int8 '))).toBe(true);
  expect(many[0].candidates.map(({ name }) => name)).toContain('dot4-64');
  expect(await check(gpu, many[0])).toEqual([]);
  const winners = Object.fromEntries(many[0].cases.map(({ id }) => [id, 'dot4-64']));
  const { fingerprint, subject } = many[0];
  const entries = { [many[0].key]: { fingerprint, measured: true, winners, ms: {}, dropped: [] } };
  const list = contestsOf(CONFIG, { formats: W8A8, sequences: 8, kv: 'f16' }, gpu);
  if (subject.kind !== 'matmul') throw new Error('not a matmul');
  const choice = kernelChoices(list, entries).matmul({ rows: subject.n, cols: subject.k, dtype: subject.dtype });
  expect(choice?.prefill.map(({ variant }) => variant)).toEqual(['dot4-64']);
});

it('finds attention of prompts right that writes rows in f16', async () => {
  const gpu = await testGpu(adapters[0]);
  const contest = find(contestsOn(gpu), 'attention prefill');
  if (contest.subject.kind !== 'attention') throw new Error('not an attention');
  const subject = { ...contest.subject, half: true };
  const names = prefillAttentionVariants(subject.shape, subject.kv, gpu.capabilities, true)
    .filter(({ units }) => units !== 'matrix')
    .map(({ name }) => name);
  expect(names.length).toBeGreaterThan(1);
  const candidates = names.map((name) => ({ name, order: name }));
  const cases = contest.cases.map((each) => ({ ...each, names, usual: names[0] }));
  expect(await check(gpu, { ...contest, subject, candidates, cases })).toEqual([]);
});

describe('a variant that is wrong', () => {
  /** A device whose shader of one file is changed. */
  async function tampered(file: string, from: string, to: string): Promise<Gpu> {
    const source = await openTestAdapter(adapters[0]);
    return Gpu.open({
      ...source,
      readShader: (path) => {
        const text = shaderText(path);
        if (path !== file) return text;
        expect(text).toContain(from);
        return text.replaceAll(from, to);
      },
    });
  }

  it.runIf(isFull)('is dropped, never wins and is named, even if it is the default', async () => {
    const gpu = await tampered('matmul/matmul_direct.wgsl', 'k >= params.k8', 'k >= params.k8 / 2u');
    try {
      const contest = find(contestsOn(gpu), 'matmul many');
      const laboratory = new GpuLaboratory(gpu);
      const { entries } = await tune(laboratory, [contest], {}, { budgetMs: 200 });
      const entry = entries[contest.key];
      expect(entry.dropped).toEqual([
        { name: 'direct', reason: expect.stringContaining('from the reference') as string },
      ]);
      expect(Object.values(entry.winners)).not.toContain('direct');
      expect(holdsChoice(contest, entry)).toBe(true);
    } finally {
      await gpu.dispose();
    }
  });

  it('is dropped when it does not compile', async () => {
    const gpu = await tampered('matmul/matmul_tiled.wgsl', 'fn main', 'fn main main');
    try {
      const [dropped] = await check(gpu, find(contestsOn(gpu), 'matmul many'));
      expect(dropped).toMatchObject({ name: 'tiled', reason: expect.stringContaining('does not compile') as string });
    } finally {
      await gpu.dispose();
    }
  });

  it('is dropped when its sums are not those of the order it claims', async ({ skip }) => {
    const gpu = await testGpu(adapters[0]);
    const runnable = matmulVariants(layoutOn(gpu, 'f16'), gpu.capabilities).decode.filter((each) =>
      each.runs(gpu.capabilities),
    );
    const contest = find(contestsOn(gpu), 'matmul few');
    const usual = contest.candidates.find(({ name }) => name === contest.cases[0].usual)!;
    const liar = contest.candidates.find(({ order }) => order !== usual.order);
    skip(liar === undefined || runnable.length < 2, 'this adapter has one order of sums');
    const lying = { ...contest, candidates: [usual, { ...liar!, order: usual.order }] };
    expect(await check(gpu, lying)).toEqual([
      { name: liar!.name, reason: expect.stringContaining('not in bits') as string },
    ]);
  });
});

it('a change of shader text changes the fingerprint of those that use it alone', async () => {
  const gpu = await testGpu(adapters[0]);
  const [before, after] = ['', '// another\n'].map((extra) => {
    const source = (spec: Parameters<typeof gpu.pipelines.source>[0]) =>
      (spec.shader === 'matmul/matmul_direct.wgsl' ? extra : '') + gpu.pipelines.source(spec);
    const ground = { capabilities: gpu.capabilities, pipelines: { source } };
    return contestsOf(CONFIG, { formats: F16, sequences: 8, kv: 'f16' }, ground).contests;
  });
  const changed = before.filter(({ fingerprint }, i) => fingerprint !== after[i].fingerprint);
  expect(changed.length).toBeGreaterThan(0);
  expect(changed.every(({ key }) => key.startsWith('matmul many'))).toBe(true);
});
