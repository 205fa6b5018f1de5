import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, type TestContext } from 'vitest';
import { parseResult } from '../../bench/read-result.js';
import type { BenchRecord, BenchResult } from '../../bench/schema.js';
import { calibrationKey, type Calibration } from '../../src/roofline/hardware/calibration.js';
import { chromiumMissing } from '../support/chromium.js';
import { faultsOf, openSite, type OpenSite } from './support.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-bench-tab-'));
let site: OpenSite | undefined;
let page: Page;
let measured: BenchResult;

beforeAll(async () => {
  site = await openSite();
  if (site !== undefined) page = site.page;
});
afterAll(async () => {
  await site?.close();
  rmSync(folder, { recursive: true });
});

const need = ({ skip }: Pick<TestContext, 'skip'>): void => skip(site === undefined, chromiumMissing);

/** What this browser is said to have measured. */
const GPU: Calibration = {
  ...{ version: 1, adapter: 'google swiftshader', driver: 'Chrome 147', isCpu: true, date: '2026-11-30T12:00:00Z' },
  ridgepoint: '0.1.0',
  ceilings: {
    ...{ readBytesPerSecond: 2e9, copyBytesPerSecond: 2e9, f32FlopsPerSecond: 9e9, subgroupMatrix: [] },
    ...{ dispatchSeconds: 2e-5, recordSeconds: 1e-6, roundTripSeconds: 1e-3 },
  },
  efficiencies: {},
  spread: {},
};

/** What a button has the browser save. */
async function saved(button: string): Promise<string> {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return readFileSync(await download.path(), 'utf8');
}

const write = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** The same on a machine that takes twice as long for everything. */
function twiceAsSlow(result: BenchResult): BenchResult {
  const twice = (samples: readonly number[]): number[] => samples.map((each) => 2 * each);
  const records = result.records.map((record): BenchRecord => {
    if (record.kind === 'ttft') return { ...record, ttfts_ms: twice(record.ttfts_ms) };
    if (record.kind === 'tpot') return { ...record, tpots_ms: twice(record.tpots_ms) };
    return record.kind === 'llama-bench' ? { ...record, samples_ns: twice(record.samples_ns) } : record;
  });
  const ceilings = { read_bytes_per_second: 1e9, f32_flops_per_second: 1e10 };
  return { ...result, records, ceilings, context: { ...result.context, adapter: 'NVIDIA L4', dtype: 'int8-g32' } };
}

describe('the tab of benchmarks', () => {
  it('measures by the keyboard alone, can be stopped, and has a result that any reader takes', async (context) => {
    need(context);
    // As after a measurement in the tab of the GPU.
    await page.evaluate(([key, text]) => localStorage.setItem(key, text), [
      `ridgepoint calibration ${calibrationKey(GPU.adapter, GPU.driver)}`,
      JSON.stringify(GPU),
    ] as const);
    await page.focus('#chat-tab');
    for (let i = 0; i < 2; i++) await page.keyboard.press('ArrowRight');
    await page.focus('#bench-start');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() =>
      /^([89]|\d\d) of \d+ runs/.test(document.querySelector('#bench .figures')!.textContent),
    );
    await page.focus('#bench-stop');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /^Stopped/.test(document.querySelector('#bench-status')!.textContent));
    measured = parseResult(await saved('#bench-download'), 'downloaded');
    expect(measured.complete).toBe(false);
    expect(measured.context).toMatchObject({ runtime: 'Chrome 147', model: 'tiny-tales', dtype: 'f16' });
    expect(measured.context.calibration).toBe(GPU.date);
    expect(measured.ceilings).toEqual({ read_bytes_per_second: 2e9, f32_flops_per_second: 9e9 });
    expect(measured.host.threads).toBeGreaterThan(0);
    expect(measured.records.map(({ id }) => id)).toEqual(expect.arrayContaining(['ttft p32', 'tpot c0 b1 g16']));
    expect(await page.locator('#bench-report table').count()).toBeGreaterThanOrEqual(2);
    await page.locator('#bench-report .drawn svg').nth(2).waitFor();
    expect(await page.locator('#bench-report .wrong').count()).toBe(0);
    expect(site!.complaints).toEqual([]);
  });
});

describe('the tab of comparisons', () => {
  it('sets what was measured beside a file, with ratios, roofs and what is unlike', async (context) => {
    need(context);
    await page.focus('#bench-tab');
    await page.keyboard.press('ArrowRight');
    // The tab is fetched when it is first shown.
    await page.locator('#compare-list li').waitFor();
    const path = write('slow.json', JSON.stringify(twiceAsSlow(measured)));
    await page.setInputFiles('#compare-files', [path]);
    await page.locator('#compare-list li').nth(1).waitFor();
    expect(await page.locator('#compare-report .words').count()).toBe(1);
    const ttft = page.locator('#compare-report tr', { hasText: 'ttft p32' }).locator('td').last();
    expect(await ttft.textContent()).toMatch(/^2\.00/);
    expect(await page.locator('#compare-report').textContent()).toContain('Unlike conditions: weights.');
    expect(await page.locator('#compare-report .roofline .roof').count()).toBe(2);
    const lines = (await saved('#compare-csv')).trim().split('\n');
    expect(lines[0]).toBe('result,adapter,driver,measure,point,runs,median_ms,ratio,low,high');
    expect(lines.filter((line) => line.startsWith('slow,NVIDIA L4,')).every((line) => line.split(',')[7] === '2')).toBe(
      true,
    );
    expect(await saved('#compare-markdown')).toContain('| ttft p32');
  });

  it('says of each bad file what is wrong with it, and keeps the others', async (context) => {
    need(context);
    const large = write('large.json', '');
    truncateSync(large, 200e6);
    const elsewhere = { ...measured, records: [{ ...measured.records[0], id: 'ttft p99999' }] };
    await page.setInputFiles('#compare-files', [
      large,
      write('prose.json', 'not JSON'),
      write('newer.json', JSON.stringify({ ...measured, version: 2 })),
      write('other.json', JSON.stringify({ version: 1 })),
      write('served.json', JSON.stringify({ kind: 'serve', version: 1 })),
      write('apart.json', JSON.stringify(elsewhere)),
      write('third.json', JSON.stringify(measured)),
    ]);
    await page.locator('#compare-list li').nth(2).waitFor();
    expect(await page.locator('#compare-refused li').allTextContents()).toEqual([
      expect.stringMatching(/^large\.json: has 200\.0 MB, and a result has at most 32\.0 MB; /),
      expect.stringMatching(/^prose\.json: is not JSON; /),
      expect.stringMatching(/^newer\.json: is of version 2, and this program reads version 1; /),
      expect.stringMatching(/^other\.json: "complete": /),
      expect.stringMatching(/^served\.json: is a result of requests that were served/),
      expect.stringMatching(/^apart: has no point in common with this tab; /),
    ]);
    expect(await page.locator('#compare-list li').count()).toBe(3);
    await page.locator('#compare-list button').first().click();
    expect(await page.locator('#compare-list li').count()).toBe(2);
    expect(site!.complaints).toEqual([]);
  });
});

describe('for everybody', () => {
  it.each(['light', 'dark'] as const)('axe finds nothing wrong with either, %s', async (colorScheme) => {
    if (site === undefined) return expect(site).toBeUndefined();
    await page.emulateMedia({ colorScheme });
    for (const tab of ['bench', 'compare']) {
      await page.click(`#${tab}-tab`);
      for (const width of [360, 1280]) {
        await page.setViewportSize({ width, height: 740 });
        expect(await faultsOf(page), `${tab} at ${width}`).toEqual([]);
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        // A table of words breaks its lines; one of numbers scrolls by itself.
        for (const words of await page.locator(`#${tab} .words`).all()) {
          expect(await words.evaluate((frame) => frame.scrollWidth - frame.clientWidth)).toBeLessThanOrEqual(0);
        }
        const { RIDGEPOINT_SHOTS: shots } = process.env;
        if (shots) await page.screenshot({ path: join(shots, `${tab}-${colorScheme}-${width}.png`), fullPage: true });
      }
    }
  });
});
