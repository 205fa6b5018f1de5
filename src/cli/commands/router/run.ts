import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { openTextModel } from '../../../engine/text-model.js';
import { RidgepointError } from '../../../errors.js';
import { nodeHost } from '../../../platform/node/host.js';
import { DurableRequests, type DurableRequestsOptions } from '../../../platform/node/nats/durable-requests.js';
import { openRouter } from '../../../platform/node/wire/open-router.js';
import { ApiError } from '../../../serving/errors.js';
import { errorBody } from '../../../serving/failure.js';
import type { ApiFetch } from '../../../serving/fetch.js';
import type { KeptRequest } from '../../../serving/kept-requests.js';
import { option, words } from '../../../wording.js';
import { openBus } from '../../options/bus.js';
import { withDefaults } from '../../options/command-table.js';
import { wireOptions } from '../../options/wire.js';
import { closeAtExit, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { serveHttp } from '../serve/http.js';
import { endWithChannel } from '../serve/parent.js';
import { ROUTER, type RouterFlags } from './command.js';
import { showControl, showRouter } from './metrics.js';

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
  const bus = await openBus(flags, { name: 'ridgepoint router', tell });
  if (bus === undefined && workers.length === 0) {
    throw new RidgepointError(
      'usage',
      words`a router needs workers: give ${option('router.worker')} or ${option('router.cluster')}`,
    );
  }
  if (bus === undefined && flags.durable === true) {
    throw new RidgepointError(
      'usage',
      words`${option('router.durable')} keeps requests in a NATS server; give ${option('router.cluster')}`,
    );
  }
  let kept: DurableRequests<KeptRequest> | undefined;
  closeAtExit(async () => {
    await kept?.close();
    await bus?.close();
  });
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
    const keep = (answer: ApiFetch): DurableRequests<KeptRequest> => {
      const requests = new DurableRequests<KeptRequest>(bus!, { answer: answeredBy(answer), instead, tell });
      kept = requests;
      return requests;
    };
    return {
      engine,
      ...(flags.durable === true ? { keep } : {}),
      sequences: Math.max(workers.length, LIKELY) * ENGINE_OPTIONS.maxSequences.default,
      instrument: (registry) => {
        showRouter(registry, engine.counts);
        if (bus === undefined) return;
        showControl(registry, {
          isConnected: () => bus.connected,
          takenOver: () => kept?.takenOver ?? 0,
          takenOverIds: () => kept?.takenOverIds ?? 0,
          gaps: () => engine.blockGaps,
        });
      },
      remarks: [],
    };
  });
}

const instead: DurableRequestsOptions<KeptRequest>['instead'] = ({ path }, why) => {
  const error = new ApiError(500, why, { code: 'answer_too_large' });
  return { status: error.status, body: errorBody(error, path) };
};

/** Has requests of other routers answered as this one's. */
const answeredBy =
  (answer: ApiFetch): DurableRequestsOptions<KeptRequest>['answer'] =>
  async (id, { path, body, ...of }, begun) => {
    const headers = { 'content-type': 'application/json', 'x-request-id': id };
    const request = new Request(`http://router${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    const response = await answer(request, { ...of, ...begun });
    return { status: response.status, body: await response.json() };
  };
