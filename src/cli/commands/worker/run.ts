import { ENGINE_OPTIONS } from '../../../engine/options/engine-options.js';
import { addressText, isEverywhere, isLocal, type Address } from '../../../cluster/address.js';
import { BlockTeller } from '../../../cluster/control/block-events.js';
import { WorkerAnnouncer } from '../../../cluster/control/worker-announcer.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { WorkerPort } from '../../../platform/node/wire/port.js';
import { loadEngine } from '../../load.js';
import { openBus } from '../../options/bus.js';
import { withDefaults } from '../../options/command-table.js';
import { engineOptions } from '../../options/common.js';
import { schedulingOptions } from '../../options/scheduling.js';
import { wireOptions } from '../../options/wire.js';
import { closeAtExit, EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { servingMachine } from '../serve/machine.js';
import { endWithChannel } from '../serve/parent.js';
import { WORKER, type WorkerFlags } from './command.js';
import { SpeedOfSteps } from './speed.js';

const DOES = {
  prefill: 'computes prompts',
  decode: 'answers requests',
  both: 'computes prompts and answers requests',
  auto: 'computes prompts or answers requests, as routers say,',
} as const;

/**
 * Computes prompts and answers requests for others until it is told to stop.
 *
 * @returns the exit code
 * @throws RidgepointError when the model cannot be loaded or the address cannot be used
 */
export async function work(given: WorkerFlags): Promise<number> {
  endWithChannel();
  const flags = withDefaults(WORKER, given);
  const { quiet = false, listen, role, kvReserve } = flags;
  const wire = await wireOptions(flags, true);
  if (wire.token === undefined && !isLocal(listen)) {
    throw new RidgepointError(
      'usage',
      words`${option('worker.listen')} ${addressText(listen)} is reached by others; give a ${option('worker.clusterToken')}`,
    );
  }
  const tell = (what: string): void => {
    if (!quiet) remark(what);
  };
  const bus = await openBus(flags, { name: 'ridgepoint worker', tell });
  if (bus !== undefined && flags.advertise === undefined && isEverywhere(listen)) {
    throw new RidgepointError(
      'usage',
      words`${option('worker.listen')} ${addressText(listen)} is no address that others can connect to; give ${option('worker.advertise')} too`,
    );
  }
  const { maxNumSeqs = ENGINE_OPTIONS.maxSequences.default } = flags;
  const speeds = new SpeedOfSteps();
  const scheduling = { ...schedulingOptions(flags), maxSequences: maxNumSeqs, kvReserve };
  const engine = await loadEngine({ ...engineOptions(flags), ...scheduling, onStep: speeds.onStep }, !quiet);
  const { price } = await servingMachine(engine, flags.calibration);
  if (price !== undefined) speeds.calibrate(price);
  const broken = new AbortController();
  const most = maxNumSeqs + flags.maxQueue;
  const onBroken = (failure: Error): void => broken.abort(failure);
  const port = await WorkerPort.create(engine, { ...wire, tell, role, most, speed: speeds.speed, onBroken });
  closeAtExit(() => port.close());
  const at = await port.listen(listen).catch((cause: unknown) => {
    const why = (cause as Error).message;
    throw new RidgepointError(
      'usage',
      words`cannot listen on ${addressText(listen)}: ${why}; check ${option('worker.listen')}`,
      { cause },
    );
  });
  tell(`${engine.info.model} on ${engine.info.adapter} ${DOES[role]} at ${addressText(at)}. Ctrl-C stops.`);
  const drained = new AbortController();
  const address = reachedAt(at, flags.advertise);
  const about = { worker: addressText(address), epoch: port.epoch, address, role };
  const onDrain = (): void => {
    tell('Told to drain: nothing new is taken, and this worker ends with what it has.');
    void port.drain().then(() => drained.abort());
  };
  const teller = bus && new BlockTeller(bus, { worker: about.worker, epoch: about.epoch });
  if (teller !== undefined) engine.kv.watch(teller);
  const announcer = bus && new WorkerAnnouncer(bus, { about, onDrain, blocks: () => teller!.seq });
  closeAtExit(async () => {
    announcer?.leave();
    await bus?.close();
  });
  const ended = AbortSignal.any([stopSignal, broken.signal, drained.signal]);
  if (!ended.aborted) await new Promise((resolve) => ended.addEventListener('abort', resolve, { once: true }));
  // Only another process can help; whoever watches this one should start it.
  if (broken.signal.aborted) throw broken.signal.reason as Error;
  return EXIT.ok;
}

/** Where others are told to connect: where it listens, or what stands for that elsewhere. */
function reachedAt(at: Address, advertised: Address | undefined): Address {
  if (advertised === undefined || 'path' in advertised || advertised.port !== 0 || 'path' in at)
    return advertised ?? at;
  return { host: advertised.host, port: at.port };
}
