import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { NONE, recorded } from './recorded.js';
import { build, cli } from './support.js';

const cache = mkdtempSync(join(tmpdir(), 'ridgepoint-recorded-'));
beforeAll(build);
afterAll(() => rmSync(cache, { recursive: true, force: true }));

/** A command of each kind whose answer follows from its options alone; `recorded/NAME.json` holds what it printed. */
const COMMANDS: Readonly<Record<string, string>> = {
  predict: 'predict --hardware h100-sxm --prompt 512',
  'predict-shared':
    'predict --hardware a100-80 --model llama-3.1-70b --tp 4 --pp 2 --batch 16 --weight-dtype int8 --compute-dtype int8',
  'predict-sweep': 'predict --hardware h100-sxm,rtx-4090 --prompt 128..512 --batch 1,16 --weight-dtype int4-g32',
  'predict-sla': 'predict sla --hardware h100-sxm,l40s --model llama-3.1-8b --prompt 4096 --ttft 200 --itl 50',
  'predict-crossover': 'predict crossover --hardware h100-sxm --output 16,128,256',
  'predict-chunk': 'predict chunk --hardware h100-sxm --model llama-3.1-70b --tp 4',
  'predict-cost': 'predict cost --per-token --hardware h100-sxm,l40s --usd-per-hour 2.5,0.9 --watts 600,300 --batch 16',
  seeds: 'seeds --document 002',
  'simulate-gain': 'simulate gain --prefill a100-80 --decode groqrack --model llama-2-7b --network 1,100Gbps',
};

// After a change that is meant to show: npx vitest run test/cli/recorded -u, and look at what it changed.
it.each(Object.entries(COMMANDS))('%s --json prints what it printed before', async (name, command) => {
  // A cache folder of its own, so that a calibration of the machine at hand does not show.
  const result = await cli([...command.split(' '), '--json'], { env: { XDG_CACHE_HOME: cache } });
  expect(result).toMatchObject({ code: 0, stderr: '' });
  await expect(recorded(JSON.parse(result.stdout), NONE)).toMatchFileSnapshot(join('recorded', `${name}.json`));
});
