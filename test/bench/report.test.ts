import { expect, test } from 'vitest';
import { compareResult } from '../../bench/compare/compare.js';
import { plan } from '../../bench/plan.js';
import { logTicks } from '../../bench/report/figures/axes.js';
import { placeLabels } from '../../bench/report/figures/labels.js';
import { page } from '../../bench/report/page.js';
import { png } from '../../bench/report/png.js';
import { drawFigures } from '../../bench/report/draw-figures.js';
import { runBench } from '../../bench/runner.js';
import { begun, HARDWARE, measureFake, OPTIONS } from './made-up.js';

const { points } = plan(OPTIONS, { contextLength: 256, kvTokens: 256, sequences: 2 });
const comparison = compareResult(await runBench(begun(), points, measureFake()), HARDWARE);
const figures = await drawFigures(comparison);
const html = page(comparison, figures);

test('all figures are drawn', () => {
  expect(figures.map(({ id }) => id)).toEqual([
    ...['roofline', 'operations', 'prompt-length', 'batch', 'gaps', 'request', 'predicted-and-measured'],
  ]);
  for (const { svg } of figures) {
    expect(svg).toMatch(/^<svg [\s\S]*<\/svg>$/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  }
});

test('a figure can be had as a PNG, text included', async () => {
  const image = await png(figures[0].svg);
  expect([...image.subarray(1, 4)]).toEqual([...Buffer.from('PNG')]);
  const without = await png(figures[0].svg.replace(/<text[\s\S]*?<\/text>/g, ''));
  expect(image.length).toBeGreaterThan(without.length);
});

test('the page needs nothing else: no script, no address but those that name XML languages', () => {
  expect(html).not.toContain('<script');
  expect(html).not.toMatch(/<link|@import|url\(http/);
  const addresses = new Set(html.match(/https?:\/\/[^"'\s<)]+/g));
  for (const address of addresses) expect(address).toMatch(/^http:\/\/www\.w3\.org\//);
});

test('the head tells adapter, driver, model and date, escaped', () => {
  for (const said of ['Made-up GPU', 'made up 1.0', 'tiny &lt;test&gt;', '2026-01-02']) expect(html).toContain(said);
  expect(html).not.toContain('tiny <test>');
});

test('every figure has a caption, and colours that follow light and dark', () => {
  for (const { id, caption } of figures) {
    expect(html).toContain(`<section id="${id}">`);
    expect(caption.length).toBeGreaterThan(40);
    expect(caption).not.toMatch(/NaN|undefined/);
  }
  expect(html).toContain('prefers-color-scheme:dark');
  expect(html).toContain('fill="var(--decode)"');
});

test('what was not measured has no figure, and the page is still one', async () => {
  const empty = compareResult(begun(), HARDWARE);
  expect(await drawFigures(empty)).toEqual([]);
  expect(page(empty, [])).toContain('this run is incomplete');
});

test('ticks of logarithmic axes are round and within the domain', () => {
  expect(logTicks([0.9, 1200])).toEqual([1, 10, 100, 1000]);
  expect(logTicks([3, 60])).toEqual([5, 10, 20, 50]);
  for (const tick of logTicks([100, 140])) expect(tick).toBeGreaterThanOrEqual(100);
});

test('names do not cover each other', () => {
  const plane = { width: 700, height: 400, x: [0.1, 1000] as const, y: [0.1, 1000] as const };
  const marks = ['qkv', 'o_proj', 'gate_up', 'down_proj'].map((name) => ({ name, x: 1, y: 10, radius: 5 }));
  const heights = placeLabels(marks, marks, plane)
    .map(({ y }) => (400 * Math.log(y / 0.1)) / Math.log(1e4))
    .sort((a, b) => a - b);
  for (let i = 1; i < heights.length; i++) expect(heights[i] - heights[i - 1]).toBeGreaterThan(12);
});

test('figures are the same where no code may be made of expressions', async () => {
  const make = globalThis.Function;
  let interpreted: typeof figures;
  try {
    globalThis.Function = function refused(): never {
      throw new EvalError('code of a text');
    } as unknown as typeof Function;
    interpreted = await drawFigures(comparison, { interpreted: true });
  } finally {
    globalThis.Function = make;
  }
  expect(interpreted.map(({ svg }) => withoutNumbers(svg))).toEqual(figures.map(({ svg }) => withoutNumbers(svg)));
});

/** Names of gradients and clips go on counting from drawing to drawing. */
const withoutNumbers = (svg: string): string => svg.replace(/(clip|gradient_)\d+/g, '$1');
