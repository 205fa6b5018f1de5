import { figure, markdownTable, markdownPercent, signedPercent } from '../tables/markdown.js';
import type { PaceRatios } from '../../src/roofline/hardware/pace.js';
import type { Comparison, MeasureError } from './compare.js';
import type { JoinedPhase } from './operations.js';
import type { JoinedPoint } from './points.js';
import { IN_WORDS } from './statistic.js';

const NAMES: Record<MeasureError['measure'], string> = {
  ttft: 'TTFT',
  tpot: 'TPOT',
  pp: 'pp rows',
  tg: 'tg rows',
  operations: 'kinds of operation',
};

/** The comparison as Markdown that reads well in a terminal. */
export function comparisonText(comparison: Comparison): string {
  const { result, hardware, predictor, points, phases } = comparison;
  const { context } = result;
  const { compute, peak } = predictor.pricer;
  const origin = [...new Set(Object.values(predictor.pricer.efficiencies.origin))].join('; ');
  const head = [
    `${result.model.name} in ${context.dtype} on ${context.adapter}, measured ${result.date}, ${IN_WORDS[comparison.statistic]} of the repetitions`,
    `predicted for ${hardware.name} (${hardware.source}): ${peak.name} ${figure(peak.rate / 1e9)} GFLOP/s, ` +
      `${figure(hardware.bandwidth / 1e9)} GB/s, products in ${compute}; efficiencies: ${origin}`,
    ...(comparison.paces === undefined ? [] : [paceText(comparison.paces)]),
    ...(result.complete ? [] : ['The measurement is incomplete.']),
  ].join('\n');
  const sections: [string, string][] = [
    ['Error of the prediction', errorTable(comparison.errors)],
    ['Sweep points', pointTable(points)],
    ['Phases: GPU time of one step', phaseTable(phases)],
    ...phases.map((phase): [string, string] => [`Operations of ${titleOf(phase)}`, operationTable(phase)]),
  ];
  return `${[head, ...sections.filter(([, body]) => body !== '').map(([title, body]) => `## ${title}\n\n${body}`)].join('\n\n')}\n`;
}

const paceText = ({ compute, memory, launch }: PaceRatios): string => {
  const times = (ratio: number): string => ratio.toFixed(2);
  const others =
    memory === compute && launch === compute ? '' : `, reading memory ${times(memory)}, launches ${times(launch)}`;
  return `the host's pace: a fixed kernel took ${times(compute)} times as long as when the adapter was calibrated${others}`;
};

export const titleOf = ({ phase, tokens, batch, context }: JoinedPhase): string =>
  phase === 'prefill'
    ? `a prefill of ${tokens} tokens`
    : `a decode step of ${batch} sequence${batch === 1 ? '' : 's'} after ${context} tokens`;

function errorTable(errors: readonly MeasureError[]): string {
  if (errors.length === 0) return '';
  const paced = errors.some(({ mapeAtPace }) => mapeAtPace !== undefined);
  const rows = errors.map(({ measure, points, mape, mapeAtPace, worst }) => [
    NAMES[measure],
    String(points),
    markdownPercent(mape),
    ...(paced ? [mapeAtPace === undefined ? '' : markdownPercent(mapeAtPace)] : []),
    `${signedPercent(worst.error)} (${worst.id})`,
  ]);
  const head = ['measure', 'points', 'MAPE', ...(paced ? ["MAPE at the host's pace"] : []), 'worst'];
  return markdownTable(head, rows, [false, true, true, ...(paced ? [true] : []), false]);
}

function pointTable(points: readonly JoinedPoint[]): string {
  if (points.length === 0) return '';
  const paced = points.some(({ errorAtPace }) => errorAtPace !== undefined);
  const rows = points.map(({ id, measuredMs, predictedMs, errorAtPace, error, bound }) => [
    id,
    figure(measuredMs),
    figure(predictedMs),
    signedPercent(error),
    ...(paced ? [errorAtPace === undefined ? '' : signedPercent(errorAtPace)] : []),
    bound,
  ]);
  const head = ['point', 'measured ms', 'predicted ms', 'error', ...(paced ? ["at the host's pace"] : []), 'bound by'];
  return markdownTable(head, rows, [false, true, true, true, ...(paced ? [true] : []), false]);
}

function phaseTable(phases: readonly JoinedPhase[]): string {
  if (phases.length === 0) return '';
  const rows = phases.map((phase) => [
    titleOf(phase),
    figure(phase.measuredMs),
    figure(phase.predictedMs),
    signedPercent(phase.error),
    phase.bound,
    figure(phase.stepMs),
  ]);
  const head = ['phase', 'measured ms', 'predicted ms', 'error', 'bound by', 'whole step ms'];
  return markdownTable(head, rows, [false, true, true, true, false, true]);
}

function operationTable({ kinds, unmatched }: JoinedPhase): string {
  const rows = kinds.map((each) => [
    each.name,
    String(each.launches),
    figure(each.measuredMs),
    figure(each.predictedMs),
    signedPercent(each.error),
    each.bound,
    figure(each.intensity),
    figure(each.flopsPerSecond / 1e9),
    figure(each.bytesPerSecond / 1e9),
  ]);
  const head = [
    'operation',
    'launches',
    'measured ms',
    'predicted ms',
    'error',
    'bound by',
    'FLOP/B',
    'GFLOP/s',
    'GB/s',
  ];
  const table = markdownTable(head, rows, [false, true, true, true, true, false, true, true, true]);
  return unmatched.length === 0 ? table : `${table}\n\nWithout a counterpart: ${unmatched.join(', ')}`;
}
