import { describe, expect, test } from 'vitest';
import { missFigure, scatterFigure } from '../../bench/report/ledger/figures.js';
import { ledgerPage } from '../../bench/report/ledger/page.js';
import { draw } from '../../bench/report/render.js';
import type { JudgedRow } from '../../src/published/ledger/judge.js';

const row = (changes: Partial<JudgedRow>): JudgedRow => ({
  ...{ source: 'made-up', device: 'h100-sxm', engine: 'vllm', version: '', model: 'llama-3.1-8b', weights: 'f16' },
  ...{ tp: 1, load: 'batch', batch: 1, prompt: 128, output: 128, metric: 'ttft', fit: false },
  ...{ ms: 100, predictedMs: 110, error: 0.1, lowMs: 90, highMs: 130, within: true },
  ...changes,
});
const rows = [
  row({}),
  row({ ms: 200, predictedMs: 140, error: -0.3, lowMs: 120, highMs: 160, within: false }),
  row({ metric: 'tpot', engine: 'trt-llm', version: '2024', ms: 10, predictedMs: 10.5, error: 0.05, fit: true }),
  row({ metric: 'e2e', device: 'a<b', ms: 1000, predictedMs: 2600, error: 1.6, within: false }),
];
const figures = await Promise.all(
  [scatterFigure(rows)!, missFigure(rows)!].map(async (each) => ({ ...each, svg: await draw(each) })),
);
const html = ledgerPage(rows, figures, {
  'made-up': { repository: 'some/where', licence: 'MIT', commit: 'abc', what: 'numbers & more' },
});
const text = html.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ');

describe('the page of the ledger', () => {
  test('sums up what no fit has seen', () => {
    expect(text).toContain('4 measurements 3 that no fit has seen');
    // 10 and 30 % of the two TTFT, of which one is within its interval; E2E is off by 160 %.
    expect(text).toContain('20.0 % mean error of TTFT 2 unseen, bias -10.0 %');
    expect(text).toContain('160.0 % mean error of E2E 1 unseen, bias +160.0 %');
    expect(text).not.toContain('mean error of TPOT');
    expect(text).toContain('33.3 % within our interval');
    expect(text).toContain('h100-sxm, trt-llm 2024, 1 chip, TPOT 0 – – – 1 5.0 %');
  });

  test('has every row with prediction, error and interval, and says where it is from', () => {
    expect(text).toContain('made-up: 4 rows');
    expect(text).toContain('numbers &amp; more. From some/where, commit abc; licence: MIT.');
    expect(text).toContain('TTFT 200 140 -30.0 % 120 to 160 ✗ no');
    expect(text).toContain('TPOT 10.0 10.5 +5.0 % 90.0 to 130 yes');
  });

  test('draws what there is, and no more', () => {
    for (const { svg } of figures) {
      expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(new Set(figures[0].svg.match(/TTFT: until|TPOT: for|E2E: whole/g)).size).toBe(3);
    expect(scatterFigure([])).toBeUndefined();
    expect(missFigure(rows.filter(({ fit }) => fit))).toBeUndefined();
  });

  test('is whole in itself and escapes what files say', () => {
    expect(html).not.toContain('<script');
    expect(html).not.toContain('a<b');
    const addresses = new Set(html.match(/https?:\/\/[^"'\s<)]+/g));
    for (const address of addresses) expect(address).toMatch(/^http:\/\/www\.w3\.org\//);
    expect(ledgerPage([], [], {})).toContain('0');
  });
});
