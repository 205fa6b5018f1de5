import { serveJsonSchema } from '../../../../bench/serve/schema.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { EXIT } from '../../run.js';
import { measureLoad } from './measure-load.js';
import type { BenchServeFlags } from './options.js';
import { runScenario } from './scenario.js';
import { print } from '../../terminal/output.js';

/**
 * Measures serving under load.
 *
 * @returns the exit code: 1 when a check of `--stress` failed, or no request came to a good end
 * @throws RidgepointError in one sentence
 */
export async function benchServe(flags: BenchServeFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(serveJsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  // Before minutes of measuring.
  for (const path of [flags.output, flags.svg]) if (path !== undefined) await checkWritable(path);
  return flags.scenario === undefined ? measureLoad(flags) : runScenario(flags, flags.scenario);
}
