import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { build, root } from '../cli/support.js';

beforeAll(build, 180_000);

/** The numbers of a row. */
const numbersOf = (text: string, row: string): number[] =>
  text
    .split('\n')
    .find((line) => line.includes(row))!
    .split('|')
    .map((cell) => Number.parseFloat(cell))
    .filter((each) => !Number.isNaN(each));

describe('what the wire is worth', () => {
  const main = join(root, 'dist', 'bench', 'wire', 'main.js');

  it('is measured between two processes and into a cache', () => {
    const args = ['--pieces', '2', '--repetitions', '1', '--adapter', adapters[0]];
    const text = execFileSync(process.execPath, [main, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    for (const row of ['by the clock', 'the sender’s', 'the receiver’s']) {
      const rates = numbersOf(text, row);
      expect(rates, row).toHaveLength(3);
      expect(
        rates.every((rate) => rate > 0.005 && rate < 100),
        `${row}: ${rates.join(', ')}`,
      ).toBe(true);
    }
    for (const row of ['Llama-3.1-8B | as an engine does', 'Llama-2-7B   | writeBuffer']) {
      const [call, done, fastest, rate] = numbersOf(text, row);
      expect(call).toBeLessThan(done);
      expect(fastest).toBeLessThanOrEqual(done);
      expect(rate).toBeCloseTo((8 << 20) / 1e6 / done, 1);
    }
  });

  it('is not measured of no pieces', () => {
    expect(() => execFileSync(process.execPath, [main, '--pieces', '0'], { encoding: 'utf8', stdio: 'pipe' })).toThrow(
      '--pieces and --repetitions are numbers of at least 1; give such ones',
    );
  });
});
