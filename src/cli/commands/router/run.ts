import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { openTextModel } from '../../../engine/text-model.js';
import { RidgepointError } from '../../../errors.js';
import { nodeHost } from '../../../platform/node/host.js';
import { openRouter } from '../../../platform/node/wire/open-router.js';
import { option, words } from '../../../wording.js';
import { openBus } from '../../options/bus.js';
import { withDefaults } from '../../options/command-table.js';
import { wireOptions } from '../../options/wire.js';
import { closeAtExit, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { serveHttp } from '../serve/http.js';
import { endWithChannel } from '../serve/parent.js';
import { ROUTER, type RouterFlags } from './command.js';
import { showRouter } from './metrics.js';

/** Workers that may well come where they are found while it runs. */
const LIKELY = 8;

/**
 * Serves a model that workers run until it is told to stop.
 *
 * @returns the exit code
 * @throws RidgepointError when the model's files or the address cannot be used
 */
export async function route(flags: RouterFlags): Promise<number> {
  endWithChannel();
  const {
    model,
    worker: workers = [],
    placement,
    workerSilence,
    quiet = false,
  } = withDefaults(ROUTER.placement, flags);
  const wire = await wireOptions(flags);
  const tell = (what: string): void => {
    if (!quiet) remark(what);
  };
  const bus = openBus(flags.cluster, { name: 'ridgepoint router', tell });
  if (bus === undefined && workers.length === 0) {
    throw new RidgepointError(
      'usage',
      words`a router needs workers: give ${option('router.worker')} or ${option('router.cluster')}`,
    );
  }
  return serveHttp(flags, async (asked) => {
    const opened = await openTextModel({ model, ...asked, signal: stopSignal }, nodeHost);
    opened.notices.forEach(tell);
    const engine = await openRouter({
      model: opened,
      workers,
      bus,
      placement,
      silenceMs: workerSilence * 1000,
      ...wire,
      tell,
      signal: stopSignal,
    });
    closeAtExit(() => engine.dispose());
    return {
      engine,
      sequences: Math.max(workers.length, LIKELY) * ENGINE_OPTIONS.maxSequences.default,
      instrument: (registry) => showRouter(registry, engine.counts),
      remarks: [],
    };
  });
}
