import { runtimeOf } from '../context.js';
import type { BenchResult } from '../schema.js';
import { llamaBenchTable } from './llama-bench.js';
import { decodeTable, operationsTable, prefillTable } from './phases.js';

/** All tables of a result as Markdown that reads well in a terminal. */
export function overview(result: BenchResult): string {
  const { context, model, options } = result;
  const head = [
    `${model.name} in ${context.dtype} (KV ${context.kv_dtype}, ${model.weights} weights) on ${context.adapter}, ${context.driver}, ${context.tier}`,
    `ridgepoint ${context.ridgepoint}${context.git_commit === null ? '' : ` (${context.git_commit})`}, ${runtimeOf(context)}, ${result.date}`,
    `${options.budget_s === undefined ? '' : 'up to '}${options.repetitions} repetitions after ${options.warmup} warm-up, which does not count; figures are medians, spread is (p90 - p10) / median`,
  ].join('\n');
  const sections: [string, string][] = [
    ['Prefill, end to end', prefillTable(result)],
    ['Decode, end to end', decodeTable(result)],
    ['Single steps without tokenisation and sampling, as llama-bench measures', llamaBenchTable(result)],
    ['GPU time by operation, all layers together', operationsTable(result)],
    ['Skipped', result.skipped.map(({ id, reason }) => `- ${id}: ${reason}`).join('\n')],
  ];
  const shown = sections.filter(([, body]) => body !== '').map(([title, body]) => `## ${title}\n\n${body}`);
  const unfinished = result.complete ? [] : ['This run is incomplete.'];
  return `${[head, ...shown, ...unfinished].join('\n\n')}\n`;
}
