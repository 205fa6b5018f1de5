import { wallClock } from '../../../../bench/serve/load/clock.js';
import type { PolicyName } from '../../../scheduler/policies/index.js';
import { batchTable, longPromptTable } from '../../../../bench/serve/report/tables.js';
import { batchScenario, type BatchOutcome } from '../../../../bench/serve/scenarios/batch.js';
import { itlShare, longPromptScenario, longPromptTokens } from '../../../../bench/serve/scenarios/long-prompt.js';
import { markdownPercent } from '../../../../bench/tables/markdown.js';
import { RunProgress } from '../../terminal/progress.js';
import { words } from '../../../wording.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { BENCH_SERVE, type SCENARIOS } from './flags.js';
import { mention, refuseServe, type BenchServeFlags } from './options.js';
import { beginning, tellResult } from './result.js';
import { targetOf } from './target.js';

const ROUNDS = 3;
/** Most that the ITL p99 under `chunked` may be of that under `prefill-first`. */
const MOST_SHARE = 0.5;

/** One of the named scenarios, on the policies asked for or on the one there is. */
export async function runScenario(flags: BenchServeFlags, name: (typeof SCENARIOS)[number]): Promise<number> {
  const progress = new RunProgress(!(flags.quiet ?? false));
  const show = (text: string): void => progress.show(`${name}: ${text}`);
  const policies: readonly (PolicyName | undefined)[] = flags.policies ?? [undefined];
  const run = name === 'batch' ? runBatch : runLongPrompt;
  const { found, passed } = await run(flags, policies, show).finally(() => progress.end());
  if (!found || stopSignal.aborted) remark('stopped; this is what was measured until then');
  return passed ? EXIT.ok : EXIT.failure;
}

/** Whether anything was measured, and whether it is as it must be. */
interface Outcome {
  readonly found: boolean;
  readonly passed: boolean;
}

type Show = (text: string) => void;

async function runLongPrompt(
  flags: BenchServeFlags,
  policies: readonly (PolicyName | undefined)[],
  onProgress: Show,
): Promise<Outcome> {
  const sequences = flags.sequences ?? 8;
  const promptTokens = flags.longPrompt ?? BENCH_SERVE.modes.longPrompt.default;
  const rounds = flags.rounds ?? ROUNDS;
  const room = { ...flags, kvCacheTokens: flags.kvCacheTokens ?? longPromptTokens({ sequences, promptTokens }) };
  const chosen = await targetOf(room, sequences + 1);
  const common = { sequences, promptTokens, repeats: 3, rounds, seed: flags.seed ?? BENCH_SERVE.load.seed.default };
  const outcomes = await longPromptScenario({
    ...common,
    policies,
    target: chosen.target,
    clock: wallClock,
    signal: stopSignal,
    onProgress,
  });
  const result = {
    ...(await beginning(chosen, { scenario: 'long-prompt', ...common }, [])),
    complete: outcomes.length === policies.length && !stopSignal.aborted,
    long_prompt: outcomes.map(({ policy, during, before, ttfts }) => ({
      policy: policy ?? null,
      itl_during_ms: [...during],
      itl_before_ms: [...before],
      ttfts_ms: [...ttfts],
    })),
  };
  const share = itlShare(outcomes, 'chunked', 'prefill-first');
  const passed = share === undefined || share <= MOST_SHARE;
  const verdict =
    share === undefined
      ? ''
      : `\n${passed ? 'ok    ' : 'FAILED'}  ITL p99 under chunked is ${markdownPercent(share)} of that under prefill-first, ${markdownPercent(MOST_SHARE)} allowed\n`;
  const head = `${sequences} sequences decode while prompts of ${promptTokens} tokens arrive; times in ms\n\n`;
  await tellResult(result, `${head}${longPromptTable(outcomes)}\n${verdict}`, flags);
  return { found: outcomes.length > 0, passed };
}

async function runBatch(
  flags: BenchServeFlags,
  policies: readonly (PolicyName | undefined)[],
  onProgress: Show,
): Promise<Outcome> {
  const sequences = flags.sequences ?? 16;
  const fixed = (option: 'inputLen' | 'outputLen', otherwise: number): number => {
    const lengths = flags[option];
    if (lengths === undefined) return otherwise;
    if (lengths.kind === 'fixed') return lengths.tokens;
    return refuseServe(option, words`must be one number of tokens for ${mention('scenario', 'batch')}`);
  };
  const promptTokens = fixed('inputLen', 32);
  const outputTokens = fixed('outputLen', 128);
  const rounds = flags.rounds ?? ROUNDS;
  const lengths = new Array<number>(sequences).fill(promptTokens + outputTokens);
  const chosen = await targetOf(flags, sequences, lengths);
  const common = { sequences, promptTokens, outputTokens, rounds, seed: flags.seed ?? BENCH_SERVE.load.seed.default };
  const outcomes: BatchOutcome[] = [];
  for (const policy of policies) {
    if (stopSignal.aborted) break;
    const outcome = await batchScenario({
      ...common,
      policy,
      target: chosen.target,
      clock: wallClock,
      signal: stopSignal,
      onProgress: (text) => onProgress(policy === undefined ? text : `${policy}, ${text}`),
    });
    if (outcome !== undefined) outcomes.push(outcome);
  }
  const result = {
    ...(await beginning(chosen, { scenario: 'batch', ...common }, [])),
    complete: outcomes.length === policies.length && !stopSignal.aborted,
    batch: outcomes.map(({ policy, one, many, ratio, ...rest }) => ({
      policy: policy ?? null,
      sequences: rest.sequences,
      input_len: rest.promptTokens,
      output_len: rest.outputTokens,
      one_output_throughput: [...one],
      many_output_throughput: [...many],
      ratio,
      failed: rest.failed,
    })),
  };
  const [first] = outcomes;
  const head = first
    ? `${first.promptTokens} tokens in, ${first.outputTokens} out each, medians of ${rounds} rounds\n\n`
    : '';
  const failed = outcomes.reduce((sum, outcome) => sum + outcome.failed, 0);
  await tellResult(result, `${head}${batchTable(outcomes)}\n`, flags);
  if (failed > 0) remark(`${failed} requests failed; the first: ${outcomes.find(({ error }) => error)?.error}`);
  return { found: outcomes.length > 0, passed: failed === 0 };
}
