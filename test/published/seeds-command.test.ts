import { describe, expect, it } from 'vitest';
import type { CommandTable, FlagsIn } from '../../src/cli/options/command-table.js';
import { PREDICT } from '../../src/cli/commands/predict/flags.js';
import { predictCost } from '../../src/cli/commands/predict/predict-cost.js';
import { seeds } from '../../src/cli/commands/seeds/run.js';
import { readAs } from '../../src/engine/options/check.js';
import type { SeedFigure } from '../../src/published/seeds/figure.js';

async function run(command: (write: (text: string) => void) => Promise<number>) {
  let text = '';
  const code = await command((part) => (text += part));
  return { code, text };
}

describe('ridgepoint seeds', () => {
  it('prints every document and a summary, and succeeds', async () => {
    const { code, text } = await run((write) => seeds({ write }));
    expect(code).toBe(0);
    for (const title of ['000  ', '001  SPAD', '002  ', '003  mlsysim', '004  Blog']) expect(text).toContain(title);
    expect(text).toMatch(/TTFT, Llama-3 8B.*66\.52 ms\s+66\.52 ms\s+\+0\.003\s+reproduced/);
    expect(text).toMatch(/W8\.1.*2\.75 TFLOP\s+21\.99 TFLOP\s+\+19\.24\s+wrong/);
    expect(text).toMatch(/\d+ figures: \d+ reproduced, \d+ consistent, \d+ predicted, \d+ wrong in the source.*\n$/);
    expect(text).toMatch(/prefill latency at 2 TB\/s +\+17% +\S+% +-\S+ \(-\d+%\) +predicted/);
    expect(text).not.toContain('NOT REPRODUCED');
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(132);
  });

  it('filters by document and verdict', async () => {
    const { text } = await run((write) => seeds({ document: '003', only: 'wrong', write }));
    expect(text).toContain('W3: KV cache');
    expect(text).not.toMatch(/reproduced|004 {2}/);
  });

  it('prints JSON', async () => {
    const { text } = await run((write) => seeds({ document: '001', only: 'reproduced', json: true, write }));
    const records = JSON.parse(text) as Record<string, unknown>[];
    expect(records.length).toBeGreaterThan(40);
    expect(records.every(({ holds, document }) => holds === true && document === '001')).toBe(true);
    expect(records.find(({ id }) => id === '001.t3.prefill.tdp')).toMatchObject({ published: '596 W', shown: '596 W' });
  });

  it('fails when a number said to be reproduced is not', async () => {
    const figure: SeedFigure = {
      id: 'x',
      document: '003',
      where: 'nowhere',
      what: 'a slip',
      published: '2.0 ms',
      ours: () => 2.1,
      verdict: 'reproduced',
    };
    const { code, text } = await run((write) => seeds({ figures: [figure], write }));
    expect(code).toBe(1);
    expect(text).toMatch(/a slip +2\.0 ms +2\.1 ms +\+0\.10 +NOT REPRODUCED/);
    expect(text).toContain('1 said to hold that do not: x');
  });
});

/** Options as they are typed on a command line, read by their table. */
function typed(options: Readonly<Record<string, string | number>>): FlagsIn<typeof PREDICT.chip> {
  const table: CommandTable = PREDICT.chip;
  return Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, readAs(`predict.${name}`, table[name].kind, String(value))]),
  );
}

describe('predict cost', () => {
  it('prices a chip', async () => {
    const options = { die: 784, memory: 64, memoryType: 'gddr7', bandwidth: 2048 };
    const { code, text } = await run((write) => predictCost({ ...typed(options), write }));
    expect(code).toBe(0);
    expect(text).toMatch(/784 mm², 64 GB GDDR7, 2048 GB\/s/);
    expect(text).toMatch(/die +\$301 +66\.36 on a wafer/);
    expect(text).toMatch(/memory +\$192 +\$3 a GB/);
    expect(text).toMatch(/chip +\$493 +0\.477 of an H100/);
    expect(text).toMatch(/TDP +596 W +0\.851 of an H100/);
    const named = await run((write) => predictCost({ chip: 'prefill', write }));
    expect(named.text).toBe(text);
  });

  it('prices a cluster alone, or with a chip', async () => {
    const { text } = await run((write) => predictCost({ ...typed({ cluster: 'prefill=18, decode=7' }), write }));
    expect(text).toMatch(/^18 prefill \+ 7 decode = 25 machines/);
    expect(text).toMatch(/cost +14\.7 /);
    expect(text).toMatch(/TDP +20\.4 /);
    const both = await run((write) =>
      predictCost({ ...typed({ chip: 'decode', cluster: 'h100=1,a100=2' }), json: true, write }),
    );
    expect(JSON.parse(both.text)).toMatchObject({ chip: { dieMm2: 520 }, cluster: { machines: 3, cost: 2, tdp: 2 } });
  });

  it('takes a price of memory', async () => {
    const { text } = await run((write) => predictCost({ chip: 'decode', price: 12, write }));
    expect(text).toMatch(/chip +\$1,147 +0\.900 of an H100/);
  });

  it('changes a chip’s memory', async () => {
    const { text } = await run((write) => predictCost({ chip: 'h100', memory: 141, write }));
    expect(text).toMatch(/memory power +270 W/);
  });

  it.each([
    [{ chip: 'tpu' }, /--chip must be one of prefill, decode, h100, found "tpu"/],
    [{ die: 500 }, /--memory is missing/],
    [{ die: -1, memory: 80 }, /--die must be a die area in mm², above 0, found "-1"/],
    [{ die: 20_000, memory: 80 }, /--die must be a die area below/],
    [{ die: 500, memory: 80, memoryType: 'gddr7' }, /--bandwidth is missing/],
    [{ chip: 'h100', memoryType: 'ddr' }, /--memory-type must be one of gddr7, hbm3/],
    [{ cluster: 'prefill=x' }, /--cluster must be machines and counts/],
    [{ cluster: 'tpu=3' }, /--cluster must be/],
    [{ cluster: 'h100=0' }, /--cluster must be at least one machine/],
    [{ chip: 'decode', price: 0 }, /--price must be/],
  ])('refuses %j', (options, message) => {
    expect(() => predictCost(typed(options))).toThrow(message);
  });
});
