import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';
import { build, cli } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-evaluate-'));
const file = join(folder, 'stories.txt');
const STORY =
  'Once upon a time, there was a little boy named Fred. He lived in a small house by the sea. ' +
  'Fred wanted to have a picnic in the garden. They had just left when plip, plop, plip! Rain came down in buckets.';
const on = ['--adapter', adapters[0], '--quiet'];

interface Report {
  tokens: number;
  documents: number;
  perplexity: number;
  dtype: string;
  head_dtype: string;
  reference?: { dtype: string };
  mean_kl: number;
  top1_agreement: number;
}

beforeAll(async () => {
  await build();
  writeFileSync(file, `${STORY}\n<|end|>\n${STORY}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('evaluate', () => {
  const run = async (...args: string[]): Promise<Report> => {
    const result = await cli(['evaluate', file, '--json', ...on, ...args]);
    expect(result).toMatchObject({ code: 0 });
    return JSON.parse(result.stdout) as Report;
  };

  it.runIf(isFull)('compares int8 with f16 over each text by itself', async () => {
    const report = await run('--documents', '<|end|>', '--dtype', 'int8');
    expect(report).toMatchObject({ documents: 2, dtype: 'int8-g128', head_dtype: 'f16', reference: { dtype: 'f16' } });
    // A story of the kind the model was made of; guessing among 2048 tokens would come to 2048.
    expect(report.perplexity).toBeGreaterThan(1);
    expect(report.perplexity).toBeLessThan(10);
    expect(report.mean_kl).toBeLessThan(1e-3);
    expect(report.top1_agreement).toBeGreaterThan(0.9);
  });

  it.runIf(isFull)('gives short windows the same tokens to judge, with less to go by', async () => {
    const whole = await run('--against', 'none', '--documents', '<|end|>');
    const short = await run('--against', 'none', '--documents', '<|end|>', '--window', '24', '--stride', '12');
    expect(whole.reference).toBeUndefined();
    expect(short.tokens).toBe(whole.tokens);
    expect(short.perplexity).toBeGreaterThan(whole.perplexity);
  });

  it('refuses a stride that leaves no context, and a file that is none', async () => {
    const stride = await cli(['evaluate', file, ...on, '--against', 'none', '--window', '16', '--stride', '16']);
    expect(stride.code).toBe(2);
    expect(stride.stderr).toMatch(/--stride 16 must be less than --window 16/);
    const absent = await cli(['evaluate', join(folder, 'absent.txt'), ...on]);
    expect(absent.stderr).toMatch(/absent\.txt: there is no such file/);
  });
});
