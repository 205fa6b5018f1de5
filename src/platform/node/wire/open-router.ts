import { RouterEngine } from '../../../cluster/router-engine.js';
import { addressText, type Address } from '../../../cluster/address.js';
import type { Order } from '../../../cluster/control/announcement.js';
import { SUBJECTS, type ControlBus } from '../../../cluster/control/bus.js';
import type { PlacementName } from '../../../cluster/placement.js';
import type { PoolMove } from '../../../cluster/role-balance.js';
import { Workers } from '../../../cluster/workers.js';
import type { WorkerListener } from '../../../cluster/worker-link.js';
import type { EngineInfo } from '../../../engine/api.js';
import { expectedLayout } from '../../../engine/text-layout.js';
import type { TextModel } from '../../../engine/text-model.js';
import { nodeHost } from '../host.js';
import type { WireOptions } from './connection.js';
import { discover } from './discovered.js';
import { WorkerLinks } from './worker-links.js';

/** How long the workers that are not there yet are waited for once one that answers is, in milliseconds. */
const OTHERS_MS = 2000;

/** Longer than the longest step of a slow machine. */
const SILENCE_MS = 120_000;

export interface RouterOptions extends WireOptions {
  readonly model: TextModel;
  /** Those that are known by their addresses. */
  readonly workers: readonly Address[];
  /** By which others are found, before and while it runs. */
  readonly bus?: ControlBus;
  readonly placement?: PlacementName;
  /** How long nothing may come of a run while its worker's engine makes no step, in milliseconds. */
  readonly silenceMs?: number;
  readonly signal?: AbortSignal;
  /** Told of workers that come, go or refuse, a sentence each. */
  readonly tell?: (what: string) => void;
}

/**
 * Connects to workers and waits for one that answers, as it says what there is room for; who comes later must have as
 * much.
 *
 * @throws the signal's reason where it is aborted
 */
export async function openRouter({ model, ...options }: RouterOptions): Promise<RouterEngine> {
  const { bus, token, tls, tell, placement = 'cost', silenceMs = SILENCE_MS, signal } = options;
  const workers = new Workers(await expectedLayout(model));
  const state: { engine?: RouterEngine; came: () => void } = { came: () => undefined };
  // Before there is an engine nothing runs, so coming is all that can happen.
  const listener: WorkerListener = {
    came: (link) => {
      if (state.engine !== undefined) return state.engine.came(link);
      const problem = workers.admit(link);
      state.came();
      return problem;
    },
    cameBack: (link) => state.engine?.cameBack(link),
    gone: (link) => state.engine?.gone(link),
    tokens: (...told) => state.engine?.tokens(...told),
    ended: (...told) => state.engine?.ended(...told),
    failed: (...told) => state.engine?.failed(...told),
  };
  const links = new WorkerLinks({ token, tls, listener, tell, poolOf: (name) => workers.poolOf(name) });
  options.workers.forEach((address) => links.add(address));
  const discovery =
    bus &&
    discover({
      ...{ bus, links, tell, names: workers.names, fixed: new Set(options.workers.map(addressText)) },
      onAnnounced: (announcement) => workers.announced(announcement),
      onLost: (worker) => workers.remove(worker),
    });
  const close = (): void => {
    discovery?.close();
    links.close();
  };
  try {
    const onCame = (check: () => void): void => void (state.came = check);
    const all = (): boolean => workers.present.length === links.size;
    do {
      await until(() => workers.decoders.length > 0, onCame, signal);
      await until(all, onCame, AbortSignal.timeout(OTHERS_MS)).catch(() => signal?.throwIfAborted());
    } while (workers.decoders.length === 0);
  } catch (error) {
    close();
    throw error;
  }
  const info = infoOf(
    model,
    workers.decoders.map((worker) => worker.info),
  );
  workers.promised = info;
  const onMove = ({ name, pool }: PoolMove): void => {
    tell?.(`${name} is moved to ${pool}`);
    bus?.publish(SUBJECTS.order, { worker: name, order: 'role', pool } satisfies Order);
  };
  const { config, tokenizer, chatText, eosIds, generation: generationDefaults, timings } = model;
  const parts = { host: nodeHost, config, tokenizer, chatText, eosIds, generationDefaults, timings, info };
  return (state.engine = new RouterEngine({ ...parts, workers, placement, silenceMs, onMove, close }));
}

/** What all that answer have room for. */
function infoOf(model: TextModel, infos: readonly EngineInfo[]): EngineInfo {
  const least = (key: 'contextLength' | 'kvCacheTokens' | 'prefillChunk'): number =>
    Math.min(...infos.map((info) => info[key]));
  const [{ kvCacheBytes, kvCacheTokens }] = infos;
  const adapters = [...new Set(infos.map(({ adapter }) => adapter))].join(', ');
  return {
    ...infos[0],
    model: model.source.name,
    adapter: adapters,
    contextLength: least('contextLength'),
    kvCacheTokens: least('kvCacheTokens'),
    kvCacheBytes: (kvCacheBytes / kvCacheTokens) * least('kvCacheTokens'),
    prefillChunk: least('prefillChunk'),
  };
}

/** Resolves when something holds, which is looked at whenever `check` is called. @throws the signal's reason */
function until(holds: () => boolean, onCheck: (check: () => void) => void, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal!.reason as Error);
    const check = (): void => {
      if (!holds()) return;
      signal?.removeEventListener('abort', stop);
      resolve();
    };
    onCheck(check);
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
    check();
  });
}
