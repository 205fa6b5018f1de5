import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { loadEngine } from '../../load.js';
import { engineOptions } from '../../options/common.js';
import { schedulingOptions } from '../../options/scheduling.js';
import { cacheLine } from '../generate/report.js';
import type { ServeFlags } from './command.js';
import { serveHttp } from './http.js';
import { servingMachine } from './machine.js';
import { loadPair } from './pair.js';
import { showTransfers } from './transfer-metrics.js';

/**
 * Serves a model over HTTP until it is told to stop.
 *
 * @returns the exit code
 * @throws RidgepointError when the model cannot be loaded or the address cannot be used
 */
export async function serve(flags: ServeFlags): Promise<number> {
  const { maxNumSeqs = ENGINE_OPTIONS.maxSequences.default } = flags;
  return serveHttp(flags, async (asked) => {
    const scheduling = { ...schedulingOptions(flags), maxSequences: maxNumSeqs };
    const options = { ...engineOptions(flags), ...scheduling, pooling: flags.pooling, ...asked };
    const pair = await loadPair(flags, options);
    const engine = pair ?? (await loadEngine(options, flags.quiet !== true));
    return {
      engine,
      sequences: maxNumSeqs,
      machine: await servingMachine(engine, flags.calibration),
      slo: { ttftMs: flags.ttftSlo, itlMs: flags.itlSlo },
      instrument: pair && ((registry) => showTransfers(registry, pair.transfers, () => pair.decode.kv.reserved.blocks)),
      remarks: [cacheLine(engine.info), ...(pair === undefined ? [] : [`Prompts are computed by ${pair.source}.`])],
    };
  });
}
