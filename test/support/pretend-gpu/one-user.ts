import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { runPretended, type PretendRun } from './run.js';

/** A load of the smallest model there is, with weights of no meaning. */
export const GENERATE = [
  ...['scripts/ridgepoint.mjs', 'generate', '--weights', 'synthetic', '--kv-dtype', 'f16'],
  ...['--prompt-ids', '1,2,3', '--max-tokens', '4'],
];
export const MATRICES_CRASH = { FAKENV_CRASH: 'c' };
/** Seconds after which a trial counts as hung. */
export const PROBE = { RIDGEPOINT_PROBE: '60' };

export interface KeptOfDriver {
  readonly findings: readonly { kernel?: string; mask?: string; why: string }[];
  readonly tried: readonly string[];
}

/** Runs of one test share a cache folder, as those of one user do. To be called in a `describe`. */
export function oneUser() {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'ridgepoint-survival-'));
  });
  afterEach(() => rmSync(cache, { recursive: true, force: true }));
  const read = (ending: string): unknown => {
    const folder = join(cache, 'ridgepoint', 'calibration');
    const name = readdirSync(folder).find((each) => each.endsWith(ending));
    return JSON.parse(readFileSync(join(folder, name!), 'utf8'));
  };
  return {
    run: (env: Record<string, string>, args: readonly string[] = GENERATE): Promise<PretendRun> =>
      runPretended(args, { cache, env }),
    /** What is remembered of the driver. */
    kept: () => read('.driver.json') as KeptOfDriver,
    /** What a process that ended was trying. */
    trying: () => read('.trying.json') as { kernel: string },
  };
}
