import { markdownTable, figure, signedPercent } from '../../../../bench/tables/markdown.js';
import { Gpu } from '../../../gpu/gpu.js';
import { RidgepointError } from '../../../errors.js';
import { noting, withholdKnown } from '../../../engine/drivers/prepare.js';
import { measure, type AutotuneRequest } from '../../../tuning/autotune.js';
import { contestsOf } from '../../../tuning/contests.js';
import type { Contest } from '../../../tuning/contest.js';
import { activationDtype, weightFormats } from '../../../engine/weight-format.js';
import type { TunedEntry } from '../../../tuning/file.js';
import { checkEngineOptions } from '../../../engine/options/check.js';
import { cacheSize, engineLimits } from '../../../engine/sizes.js';
import { describeModel } from '../../../model/open.js';
import { nodeHost } from '../../../platform/node/host.js';
import { checkedTuningStore, tuningPath } from '../../../platform/node/tuning-store.js';
import type { TuneFlags } from './command.js';
import { closeAtExit, EXIT, stopSignal } from '../../run.js';
import { isRewritable, remark } from '../../terminal/style.js';
import { print, status } from '../../terminal/output.js';

const BUDGET_SECONDS = { gpu: 15, cpu: 40 };

/**
 * Measures which kernels are fastest at a model's sizes and keeps the choice for later loads.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function tuneCommand(flags: TuneFlags): Promise<number> {
  const source = await nodeHost.openGpu(flags.adapter);
  const path = tuningPath(source.name, source.driver);
  const store = await checkedTuningStore(path);
  const found = await nodeHost.openModel(flags.model, { signal: stopSignal });
  const { config, packed, saved } = await describeModel(found);
  const gpu = await Gpu.open(source);
  closeAtExit(() => gpu.dispose());
  const { drivers } = nodeHost;
  const driverRemark = await withholdKnown(gpu, drivers);
  if (driverRemark !== undefined && flags.quiet !== true) remark(driverRemark);
  const { dtype, head } = weightFormats(flags, packed, saved);
  const activations = activationDtype(flags.activations, dtype);
  checkEngineOptions(flags);
  const { limits } = engineLimits(flags, config);
  const free = { left: undefined, shared: gpu.capabilities.isCpu };
  const { kvDtype: kv } = cacheSize(flags, config, limits, free, () => limits.contextLength);
  // Those of an engine of one sequence and those of one of several.
  const lists = [1, limits.sequences].map((sequences) =>
    contestsOf(config, { formats: { dtype, head, activations }, sequences, kv }, gpu),
  );
  const known = new Map(lists.flatMap(({ contests }) => contests.map((contest) => [contest.key, contest])));
  const list = { ...lists[0], contests: [...known.values()] };
  const kept = await nodeHost.tuning?.load(gpu.name, gpu.driver);
  const tell = flags.quiet !== true && isRewritable(process.stderr);
  const begin = performance.now();
  const request: AutotuneRequest = {
    ...{ gpu, config, dtype, head, activations, kv, store, signal: stopSignal },
    ...{ sequences: limits.sequences, weightBytes: 0 },
    onProgress: (done, total, key) => {
      if (tell) status(done < total ? `${done + 1} of ${total}: ${key}` : '');
    },
    check: drivers?.check,
  };
  // What a short first load left out is measured now.
  const before = flags.force || kept === undefined ? kept : { ...kept, entries: measuredOnly(kept.entries) };
  const budgetMs = 1000 * (flags.budget ?? (gpu.capabilities.isCpu ? BUDGET_SECONDS.cpu : BUDGET_SECONDS.gpu));
  const { file, changed } = await noting(gpu, drivers, () =>
    measure(request, list, before, { budgetMs, force: flags.force }),
  );
  if (file === undefined) {
    throw new RidgepointError('memory', `${gpu.name} has no memory free to measure ${found.name}'s kernels in`);
  }
  const entries = list.contests.map((contest) => [contest, file.entries[contest.key]] as const);
  if (flags.json) {
    const own = Object.fromEntries(entries.map(([{ key }, entry]) => [key, entry]));
    print(`${JSON.stringify({ adapter: gpu.name, driver: gpu.driver, date: file.date, entries: own })}\n`);
    return EXIT.ok;
  }
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  const last = changed
    ? `Measured in ${seconds} s; kept in ${path}`
    : `Known since ${file.date}; --force measures again`;
  print(`${gpu.name}, ${gpu.driver}\n\n${table(entries)}\n\n${notes(entries)}${last}\n`);
  return EXIT.ok;
}

const measuredOnly = (entries: Readonly<Record<string, TunedEntry>>): Record<string, TunedEntry> =>
  Object.fromEntries(Object.entries(entries).filter(([, { measured }]) => measured));

function table(entries: readonly (readonly [Contest, TunedEntry])[]): string {
  const rows = entries.flatMap(([contest, { winners, ms, measured }]) =>
    contest.cases.map(({ id, usual }, i) => {
      const winner = winners[id];
      const took = ms[id]?.[winner];
      const before = ms[id]?.[usual];
      const against = took === undefined || before === undefined ? undefined : took / before - 1;
      return [
        i === 0 ? contest.key : '',
        id,
        measured ? winner : `${winner} (no time left)`,
        figure(took),
        winner === usual ? 'default' : usual,
        winner === usual ? '' : signedPercent(against),
      ];
    }),
  );
  return markdownTable(['kernel', 'rows', 'chosen', 'ms', 'instead of', 'time'], rows, [
    ...[false, true, false, true, false, true],
  ]);
}

function notes(entries: readonly (readonly [Contest, TunedEntry])[]): string {
  const wrong = entries.flatMap(([{ key }, { dropped }]) =>
    dropped.map(({ name, reason }) => `Dropped: ${key}: ${name}: ${reason}\n`),
  );
  return wrong.length === 0 ? '' : `${wrong.join('')}\n`;
}
