import { PairedEngine } from '../../../cluster/embedded.js';
import { RemoteSource } from '../../../platform/node/wire/remote.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import type { EngineOptions } from '../../../index.js';
import { loadEngine } from '../../load.js';
import { wireOptions } from '../../options/wire.js';
import { closeAtExit } from '../../run.js';
import { remark } from '../../terminal/style.js';
import type { ServeFlags } from './command.js';

/**
 * Loads an engine, and what computes its prompts where that is to be elsewhere.
 *
 * @throws RidgepointError where flags contradict each other, or two engines cannot work together
 */
export async function loadPair(flags: ServeFlags, options: EngineOptions): Promise<PairedEngine | undefined> {
  const { prefillAdapter, prefillWorker: address, kvReserve, quiet = false } = flags;
  if (prefillAdapter !== undefined && address !== undefined) {
    throw new RidgepointError(
      'usage',
      words`prompts are computed in one place: give ${option('serve.prefillAdapter')} or ${option('serve.prefillWorker')}`,
    );
  }
  if (prefillAdapter === undefined && address === undefined) {
    if (kvReserve === undefined) return undefined;
    throw new RidgepointError(
      'usage',
      words`${option('kvReserve')} is for keys and values from elsewhere; give ${option('serve.prefillAdapter')} or ${option('serve.prefillWorker')}`,
    );
  }
  const promise = flags.ttftSlo === undefined ? '--itl-slo' : '--ttft-slo';
  if (flags.ttftSlo !== undefined || flags.itlSlo !== undefined) {
    throw new RidgepointError(
      'usage',
      `${promise} cannot be promised where prompts are computed elsewhere; leave one out`,
    );
  }
  const decode = await loadEngine({ ...options, kvReserve }, !quiet);
  if (address === undefined) {
    const prefill = await loadEngine({ ...options, adapter: prefillAdapter, speculate: undefined }, !quiet, false);
    return PairedEngine.create(prefill, decode);
  }
  const wire = await wireOptions(flags);
  const tell = (what: string): void => {
    if (!quiet) remark(what);
  };
  const source = new RemoteSource(decode, { address, ...wire, tell });
  closeAtExit(() => source.close());
  // What is wrong between the two should be told of before the first request; one that is not there yet may come.
  await source.connect().catch(() => undefined);
  return new PairedEngine(decode, source, () => source.close());
}
