import { readFile } from 'node:fs/promises';
import { compareResults } from '../../../../bench/compare/results/compare-results.js';
import { resultsText } from '../../../../bench/compare/results/results-text.js';
import { readResult } from '../../../../bench/store.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { EXIT } from '../../run.js';
import { print } from '../../terminal/output.js';
import type { CompareFlags } from './command.js';
import { compareServed } from './serve-results.js';

type Flags = CompareFlags & { readonly write?: (text: string) => void };

/** What of a prediction makes no sense where there is none. */
const OF_PREDICTIONS = [
  'calibration',
  'hardware',
  'kernels',
  'statistic',
  'report',
  'svg',
  'png',
  'failAbove',
] as const;

/** Whether a file looks like a result of `bench`; what is wrong with it is told by who reads it. */
async function isOfBench(path: string): Promise<boolean> {
  try {
    const { kind, records } = JSON.parse(await readFile(path, 'utf8')) as { kind?: unknown; records?: unknown };
    return kind === undefined && Array.isArray(records);
  } catch {
    return false;
  }
}

/**
 * Sets results beside each other: any number of those of `bench`, or two of requests that were served.
 *
 * @returns the exit code
 * @throws RidgepointError naming the file that is no such result, or that has nothing in common with the first
 */
export async function compareSeveral(paths: readonly string[], flags: Flags): Promise<number> {
  if (!(await isOfBench(paths[0]))) {
    if (paths.length === 2) return compareServed([paths[0], paths[1]], flags);
    throw new RidgepointError(
      'usage',
      `${paths[0]}: is no result of "bench", of which alone more than two are compared; name two files`,
    );
  }
  for (const name of OF_PREDICTIONS) {
    if (flags[name] !== undefined)
      throw new RidgepointError(
        'usage',
        words`${option(`compare.${name}`)} is for one result and its prediction; leave it out where results are compared`,
      );
  }
  const results = [];
  for (const path of paths)
    results.push({ name: path.replace(/.*[/\\]/, '').replace(/\.json$/, ''), result: await readResult(path) });
  const { conditions, measures, points } = compareResults(results);
  const names = results.map(({ name }) => name);
  (flags.write ?? print)(
    flags.json
      ? `${JSON.stringify({ results: names, conditions, measures, points }, null, 1)}\n`
      : resultsText({ results, conditions, measures, points }),
  );
  return EXIT.ok;
}
