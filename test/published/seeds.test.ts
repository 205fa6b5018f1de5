import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  agrees,
  decimalsOf,
  DOCUMENTS,
  publishedNumber,
  unitOf,
  type Verdict,
  VERDICTS,
} from '../../src/published/seeds/figure.js';
import { SEED_FIGURES } from '../../src/published/seeds/index.js';
import {
  assumedFeedForward,
  BLOG,
  chunkedBytes,
  flashBytes,
  layerBytes,
  possibleH100s,
  rooflineStepMs,
} from '../../src/published/seeds/llama70b.js';

const ours = (id: string) => SEED_FIGURES.find((figure) => figure.id === id)?.ours?.();
const named = (verdict: Verdict) => SEED_FIGURES.filter((figure) => figure.verdict === verdict);

describe('published numbers', () => {
  const same = [...named('reproduced'), ...named('consistent')];
  it.each(same.map((figure) => [figure.id, figure] as const))('%s is the published number', (_, figure) => {
    expect(agrees(figure), `${figure.published} against ${figure.ours?.()}`).toBe(true);
  });

  it('what is called wrong is not what we compute', () => {
    for (const figure of named('wrong in the source')) expect(agrees(figure), figure.id).not.toBe(true);
  });

  it('an entry of every other verdict says why', () => {
    const silent = SEED_FIGURES.filter(({ verdict, explanation }) => {
      return verdict !== 'reproduced' && verdict !== 'consistent' && !explanation;
    });
    expect(silent.map(({ id }) => id)).toEqual([]);
  });

  it('ids are unique and documents all there', () => {
    expect(new Set(SEED_FIGURES.map(({ id }) => id)).size).toBe(SEED_FIGURES.length);
    expect(new Set(SEED_FIGURES.map(({ document }) => document))).toEqual(new Set(Object.keys(DOCUMENTS)));
  });

  it('what was once called W1 to W19 is all there, but for a unit that was taken for an error', () => {
    const known = new Set(SEED_FIGURES.map(({ id }) => /^W\d+/.exec(id)?.[0]));
    expect(Array.from({ length: 19 }, (_, at) => `W${at + 1}`).filter((id) => !known.has(id))).toEqual(['W7']);
  });

  it('is called wrong only by what the document itself claims', () => {
    const claims = new Set(named('wrong in the source').map(({ id }) => id));
    const others = [
      ...['W16.1', 'W16.2', 'W16.3', 'W7', 'W17.2', 'W15.1', 'W15.2', 'W18.1', 'W18.2', 'W4.3', 'W6.2', 'W19.2'],
      ...['W1.2', 'W5.1', 'W5.2', 'W5.3', 'W6.5', 'W6.6', 'W10.4', 'W14.2', 'W14.3'],
    ];
    expect(others.filter((id) => claims.has(id))).toEqual([]);
    expect(SEED_FIGURES.find(({ id }) => id === 'W16.1')?.verdict).toBe('consistent');
    expect(SEED_FIGURES.find(({ id }) => id === 'W18.2')?.verdict).toBe('reproduced');
  });

  it('docs/seeds.md has the counts there are', () => {
    const page = readFileSync(new URL('../../docs/seeds.md', import.meta.url), 'utf8');
    for (const document of [...Object.keys(DOCUMENTS), 'all']) {
      const row = new RegExp(`^\\| ${document}[^|]*\\|(.*)\\|$`, 'm').exec(page)?.[1];
      const counts = VERDICTS.map((verdict) => {
        return named(verdict).filter((figure) => document === 'all' || figure.document === document).length;
      });
      expect(row?.split('|').map(Number), document).toEqual(counts);
    }
  });

  it('nothing that needs the simulator pretends to be computed', () => {
    expect(named('needs the simulator').filter((figure) => figure.ours !== undefined)).toEqual([]);
  });
});

describe('corrections', () => {
  // Worked out apart from the code.
  const corrections: [string, number, number][] = [
    ['W1.1', 8.35, 2],
    ['W2.1', 66.52, 2],
    ['W2.2', 33.25, 2],
    ['W3', 0.268435456, 9],
    ['W4.1', 1.4, 2],
    ['W4.2', 1.23, 2],
    ['W5.2', 70.97, 2],
    ['W5.3', 5.19, 2],
    ['W6.1', 146.8, 1],
    ['W6.3', 13.0, 1],
    ['W6.5', 91_112, 0],
    ['W6.6', 53_842, 0],
    ['W8.1', 21.99, 2],
    ['W8.2', 43.98, 2],
    ['W8.3', 44.47, 2],
    ['W8.4', 0.151, 3],
    ['004.attention.naive', 15.22, 2],
    ['W9.1', 7064, 0],
    ['W9.2', 295.2, 1],
    ['W9.3', 45.3, 1],
    ['W10.1', 140, 10],
    ['W10.3', 29.59, 2],
    ['W10.5', 2331.5, 1],
    ['W11.1', 289.9, 1],
    ['W11.2', 144.9, 1],
    ['W11.3', 10.1, 1],
    ['W13.1', 1.711, 3],
    ['W13.2', 295.2, 1],
    ['W13.3', 32.85, 2],
    ['W14.1', 128.8, 1],
    ['W14.c0', 41.79, 2],
    ['W14.c128', 41.79, 2],
    ['W14.c256', 54.4, 1],
    ['W14.c512', 90.6, 1],
    ['W14.c1024', 163.1, 1],
    ['W14.c2048', 308.0, 1],
    ['W14.c4096', 597.9, 1],
    ['W16.1', 5.2375, 4],
    ['W16.4', 35.6, 1],
    ['W16.5', 66.4, 1],
    ['W17.1', -7.5, 1],
    ['W17.3', 25, 10],
    ['W18.1', 99.5, 1],
    ['W18.2', 84.03, 2],
    ['002.rate.small', 69.5, 1],
    ['W18.3', 77.1, 1],
    ['W15', 228, 10],
    ['004.h100s.graph', 2, 10],
    ['004.h100s.chunk', 3, 10],
    ['004.h100s.decode', 2, 10],
    ['004.h100s.prefill', 11, 10],
    ['003.ratio.ttft', 8.8, 1],
    ['003.ratio.itl', 6.2, 1],
    ['000.groq.chips', 59, 10],
    ['002.idle.64', 70.1, 1],
  ];
  it.each(corrections)('%s is %d', (id, value, digits) => {
    const found = ours(id);
    expect(typeof found).toBe('number');
    expect(Math.abs(Number(found) - value)).toBeLessThanOrEqual(0.5 * 10 ** -digits * 1.001);
  });

  it.each([
    ['W6.4', 'never'],
    ['W12.1', 'Bandwidth-bound'],
    ['W12.2', 'Bandwidth-bound'],
    ['W12.3', 'Bandwidth-bound'],
    ['W10.2', 'none, 1 to 1024'],
    ['003.chatbot', 'ITL-dominated'],
    ['002.kv', 'gigabytes'],
  ])('%s is %s', (id, value) => expect(ours(id)).toBe(value));

  it('every error with a value has its correction checked here', () => {
    const checked = new Set([...corrections.map(([id]) => id), 'W6.4', 'W12.1', 'W12.2', 'W12.3', 'W10.2']);
    const missing = named('wrong in the source').filter(({ id, ours }) => ours !== undefined && !checked.has(id));
    expect(missing.map(({ id }) => id)).toEqual([]);
  });
});

describe('what the blog’s own functions return', () => {
  it.each([
    ['W8.4', flashBytes(4096, BLOG.heads) / 1e9],
    ['W13.1', layerBytes(assumedFeedForward()) / 1e9],
    ['W13.2', BLOG.bandwidth / BLOG.flops],
    ['W13.3', rooflineStepMs(32) / 32],
    ['W14.1', chunkedBytes() / 1e9],
  ])('%s', (id, value) => {
    const figure = SEED_FIGURES.find((figure) => figure.id === id)!;
    expect(agrees({ ...figure, ours: () => value })).toBe(true);
  });
});

describe('the number of H100s behind the blog', () => {
  const gigabytes = 80 * 1.073741824;

  it('is none: each of its numbers allows others', () => {
    expect(possibleH100s(10_000)).toEqual([]);
    expect(Math.ceil(140 / gigabytes)).toBe(2); // to hold the weights
    expect(Math.ceil((2 * 70e9 * 2048) / 989e12 / 28.4e-3)).toBe(11); // to process 2048 tokens in 28.4 ms
    expect(Math.ceil((2 * 70e9 * 2048) / 1979e12 / 15.2e-3)).toBe(10); // and in int8
    expect(3350 / 140).toBeCloseTo(24, 0); // tokens a second of one; two would make 48
  });
});

describe('reading what was published', () => {
  const figure = (published: string, extra = {}) => {
    return { id: '', document: '003', where: '', what: '', published, verdict: 'reproduced', ...extra } as const;
  };

  it('takes the first number, its decimals and its unit', () => {
    expect(publishedNumber(figure('$1,275'))).toBe(1275);
    expect(publishedNumber(figure('-8%'))).toBe(-8);
    expect(publishedNumber(figure('one H100'))).toBeUndefined();
    expect(publishedNumber(figure('60–70%', { ours: () => 99.5 }))).toBe(70);
    expect(publishedNumber(figure('60–70%', { ours: () => 20 }))).toBe(60);
    expect(unitOf(figure('60–70%'))).toEqual({ before: '', after: '%' });
    expect(decimalsOf(figure('66.50 ms'))).toBe(2);
    expect(unitOf(figure('$3'))).toEqual({ before: '$', after: '' });
    expect(unitOf(figure('85.9 GB (its capacity)'))).toEqual({ before: '', after: ' GB' });
  });

  it('agrees to half a unit in the last place, or less when digits were cut off', () => {
    expect(agrees(figure('8.35 ms', { ours: () => 8.3549 }))).toBe(true);
    expect(agrees(figure('8.35 ms', { ours: () => 8.3551 }))).toBe(false);
    expect(agrees(figure('99.6%', { ours: () => 99.66, truncated: true }))).toBe(true);
    expect(agrees(figure('99.6%', { ours: () => 99.59, truncated: true }))).toBe(false);
    expect(agrees(figure('1500', { ours: () => 1469, decimals: -2 }))).toBe(true);
    expect(agrees(figure('FAIL', { ours: () => 'FAIL' }))).toBe(true);
    expect(agrees(figure('drawn only'))).toBeUndefined();
  });
});
