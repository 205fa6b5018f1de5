import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readResult } from '../../bench/store.js';
import { build, cli, Scratch } from '../cli/support.js';
import { chromiumMissing, launchChromium } from '../support/chromium.js';

const scratch = new Scratch();
const env = { XDG_CACHE_HOME: scratch.path, CHROME_PATH: '' };
const FEW = ['--prompts', '8', '--contexts', '4', '--batches', '1', '--gen', '3', '--repetitions', '2'];

beforeAll(build);
afterAll(() => scratch.remove());

test('bench --browser has a result of the browser, and says what it costs beside Node', async ({ skip }) => {
  const browser = await launchChromium();
  await browser?.close();
  skip(browser === undefined, chromiumMissing);
  const file = join(scratch.path, 'browser.json');
  const args = ['bench', '--browser', '--adapter', 'swiftshader', '--only', 'end-to-end', ...FEW, '--output', file];
  const { code, stdout, stderr } = await cli(args, { env });
  expect(code, stderr).toBe(0);
  const [own, result] = [await readResult(join(scratch.path, 'ridgepoint/bench/latest.json')), await readResult(file)];
  expect(result.complete).toBe(true);
  expect(result.context.runtime).toMatch(/^Chrome \d+$/);
  expect(own.context.runtime).toBe(`node ${process.versions.node}`);
  expect(result.records.map(({ id }) => id)).toEqual(['ttft p8', 'tpot c4 b1 g3']);
  // The same work: kernels, formats and sizes.
  expect(result.model.kernels).toEqual(own.model.kernels);
  expect(result.model.context_length).toBe(own.model.context_length);
  expect(stdout).toContain('# What the browser costs');
  expect(stdout).toMatch(/\| decode: time a token \(TPOT\) +\| +1 \| +\d+\.\d\d \(/);
  expect(stdout).not.toContain('Unlike conditions');
});
