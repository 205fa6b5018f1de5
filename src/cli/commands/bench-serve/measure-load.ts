import { draw } from '../../../../bench/report/render.js';
import { onPaper } from '../../../../bench/report/report.js';
import { wallClock } from '../../../../bench/serve/load/clock.js';
import { MemoryWatch } from '../../../../bench/serve/memory.js';
import { MEASURES, metricsOf, type MetricOptions } from '../../../traffic/metrics.js';
import type { PolicyName } from '../../../scheduler/policies/index.js';
import { policyFigure } from '../../../../bench/serve/report/policy-figure.js';
import { policyTable, type PolicyMetrics } from '../../../../bench/serve/report/tables.js';
import { vllmBlock } from '../../../../bench/serve/report/vllm-block.js';
import { serveRuns, type ServeRun } from '../../../../bench/serve/runs.js';
import { serveFiguresOf, runOf } from '../../../../bench/serve/schema.js';
import { checksText, stressChecks, type Check } from '../../../../bench/serve/stress.js';
import type { CacheStats, OpenTarget } from '../../../../bench/serve/targets/target.js';
import { writeWhole } from '../../../../bench/store.js';
import { RunProgress } from '../../terminal/progress.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { BENCH_SERVE } from './flags.js';
import { refuseServe, type BenchServeFlags } from './options.js';
import { loadProgressText } from './progress-text.js';
import { beginning, tellResult } from './result.js';
import { targetOf } from './target.js';
import { benchLoadOf, type BenchLoad } from './workload.js';

/** What tables and figures show, besides what the block does. */
const SHOWN = [50, 90, 99];

/** Requests that arrive over time, on one policy or on several. */
export async function measureLoad(flags: BenchServeFlags): Promise<number> {
  const { policies, stress } = flags;
  if (stress && (policies?.length ?? 0) > 1) refuseServe('stress', 'takes one policy at a time');
  if (stress && (flags.rounds ?? 1) > 1) refuseServe('stress', 'takes one round');
  const load = await benchLoadOf(flags);
  const seed = flags.seed ?? BENCH_SERVE.load.seed.default;
  const lengths = load.make(seed).requests.map(({ promptTokens, outputTokens }) => promptTokens + outputTokens);
  const chosen = await targetOf(flags, undefined, lengths);
  const tell = !(flags.quiet ?? false);
  const progress = new RunProgress(tell);
  const notes: string[] = [];
  const runs: ServeRun[] = [];
  const watch = stress ? new MemoryWatch(lengths.length) : undefined;
  const cache: { before?: CacheStats; after?: CacheStats } = {};
  await serveRuns({
    target: chosen.target,
    policies,
    rounds: flags.rounds ?? 1,
    workload: load.make,
    seed,
    maxConcurrency: flags.maxConcurrency,
    warmup: flags.warmup ?? chosen.sequences,
    clock: wallClock,
    signal: stopSignal,
    onProgress: (state) => {
      watch?.at(state.done);
      progress.show(loadProgressText(state));
    },
    onNote: (note) => void notes.push(note),
    beforeLoad: (opened) => void (cache.before = opened.stats()),
    afterLoad: async (opened, run) => {
      runs.push(run);
      if (stress) cache.after = await emptied(opened);
    },
  }).finally(() => progress.end());
  if (tell) notes.forEach(remark);
  return tellLoad(flags, load, runs, {
    begun: await beginning(chosen, load.options, notes),
    checks: stress ? checksOf(runs, cache, watch!, chosen.backend === 'ridgepoint') : undefined,
  });
}

function checksOf(
  runs: readonly ServeRun[],
  cache: { before?: CacheStats; after?: CacheStats },
  watch: MemoryWatch,
  inProcess: boolean,
): Check[] {
  return runs.flatMap((run) => stressChecks(run, cache.before, cache.after, inProcess ? watch.samples : [], inProcess));
}

/** How long an engine may take to notice that the last requests were aborted. */
const PATIENCE_MS = 5000;

async function emptied(opened: OpenTarget): Promise<CacheStats | undefined> {
  const end = performance.now() + PATIENCE_MS;
  for (;;) {
    const stats = opened.stats();
    if (stats === undefined || stats.kvBlocksFree === stats.kvBlocks || performance.now() > end) return stats;
    await wallClock.sleep(20);
  }
}

async function tellLoad(
  flags: BenchServeFlags,
  load: BenchLoad,
  runs: readonly ServeRun[],
  { begun, checks }: { begun: Awaited<ReturnType<typeof beginning>>; checks: readonly Check[] | undefined },
): Promise<number> {
  const options: MetricOptions = {
    percentiles: flags.metricPercentiles ?? BENCH_SERVE.result.metricPercentiles.default,
    goals: flags.goodput,
  };
  const names: readonly (PolicyName | undefined)[] = flags.policies ?? [undefined];
  const groups = names.flatMap((policy) => {
    const own = runs.filter((run) => run.policy === policy);
    return own.length === 0 ? [] : [{ policy, records: own.map(({ record }) => record) }];
  });
  const complete = runs.length === names.length * (flags.rounds ?? 1) && !runs.some(({ record }) => record.interrupted);
  const every = { ...options, percentiles: [...new Set([...SHOWN, ...options.percentiles])].sort((a, b) => a - b) };
  const result = {
    ...begun,
    complete,
    policies: groups.map(({ policy, records }) => ({
      policy: policy ?? null,
      figures: serveFiguresOf(metricsOf(records, every)),
    })),
    runs: runs.map((run) => runOf(run, every)),
    ...(checks === undefined ? {} : { checks: [...checks] }),
  };
  const shown = groups.map(({ policy, records }): PolicyMetrics => ({
    policy: policy ?? 'its own',
    metrics: metricsOf(records, every),
  }));
  const block = (): string =>
    groups
      .map(({ records }) =>
        vllmBlock(metricsOf(records, options), {
          measures: flags.percentileMetrics ?? MEASURES,
          requestRate: load.requestRate,
          maxConcurrency: flags.maxConcurrency,
        }),
      )
      .join('');
  const table = (): string => `${load.text}; times in ms\n\n${policyTable(shown)}\n`;
  const text = names.length > 1 ? table() : block();
  await tellResult(result, `${text}${checks === undefined ? '' : checksText(checks)}`, flags);
  if (flags.svg !== undefined) await drawLoad(flags.svg, shown, load.text);
  const tell = !(flags.quiet ?? false);
  const failures = failureText(runs);
  if (failures !== undefined) remark(failures);
  if (!complete) remark('stopped; this is what was measured until then');
  if (tell && flags.output !== undefined) remark(`written to ${flags.output}`);
  if (checks?.some(({ passed }) => !passed)) return EXIT.failure;
  const nothing = runs.every(({ record }) => !record.requests.some(({ status }) => status === 'completed'));
  return nothing && complete ? EXIT.failure : EXIT.ok;
}

async function drawLoad(path: string, shown: readonly PolicyMetrics[], load: string): Promise<void> {
  const figure = policyFigure(shown, load);
  if (figure === undefined) remark(`${path}: nothing completed, so there is nothing to draw`);
  else await writeWhole(path, onPaper(await draw(figure)));
}

/** Each kind of failure with how often it happened. */
export function failureText(runs: readonly ServeRun[]): string | undefined {
  const kinds = new Map<string, number>();
  for (const { error, status } of runs.flatMap(({ record }) => record.requests)) {
    if (status !== 'failed') continue;
    const kind = error ?? 'unknown';
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  }
  if (kinds.size === 0) return undefined;
  const most = [...kinds].sort((a, b) => b[1] - a[1]);
  const listed = most.slice(0, 3).map(([kind, count]) => `${count} x ${kind}`);
  const rest = most.length > 3 ? `, and ${most.length - 3} other kinds` : '';
  return `requests failed: ${listed.join('; ')}${rest}`;
}
