import type { OperationSummary, PhaseSummary } from '../../../roofline/predict/phase-summary.js';
import type { Prediction } from '../../../roofline/predict/predict.js';
import { costsOf } from '../../../roofline/hardware/engines.js';
import type { Predictor } from '../../../roofline/predict/predictor.js';
import { efficiencyTable } from './efficiencies.js';
import { bytes, digits, ms, percent, scaledUnit } from '../../terminal/format.js';
import { intervalText } from './interval.js';
import { textTable, type Column } from '../../terminal/table.js';

/** One prediction for people: latency, memory, phases, where the time goes, and what that rests on. */
export function describe(prediction: Prediction): string {
  const { predictor, prefill, decode, roof } = prediction;
  const { hardware, pricer, weights, kv, chips } = predictor;
  const phases: [string, PhaseSummary][] = [['prefill', prefill]];
  if (decode !== undefined) phases.push(['decode step', decode]);
  const fallback = roof.fallback ? `, which has no ${pricer.compute} rate of its own` : '';
  const cached = prediction.cachedTokens > 0 ? `, ${prediction.cachedTokens} prompt tokens cached` : '';
  return [
    `${prediction.model} on ${chips > 1 ? `${chips} x ` : ''}${hardware.name}`,
    `weights ${weights}, KV ${kv}; ${scaledUnit(roof.rate, 'FLOP/s', 4)} (${roof.name}${fallback}), ${scaledUnit(hardware.bandwidth, 'B/s', 4)}, ridge at ${digits(prefill.ridge)} FLOP/byte`,
    `prompt ${prediction.promptTokens}, output ${prediction.outputTokens}, batch ${prediction.batch}${cached}`,
    '',
    ...facts(prediction),
    '',
    textTable(phases, phaseColumns),
    ...phases.map(([name, summary]) => textTable(summary.operations, operationColumns(name, summary.seconds))),
    efficiencyTable(prediction.efficiencies),
    engineLine(predictor),
    ...(prediction.evidence === 'measured' ? [] : [SURE[prediction.evidence]]),
    `figures of the hardware: ${hardware.source}${hardware.note === undefined ? '' : `; ${hardware.note}`}`,
    '',
  ].join('\n');
}

const SURE = {
  class: 'no fit has seen more of this device than a handful of rows: the intervals are those of its class',
  none: 'no measurement of this device or its like is at hand: the intervals are guesses, and wide',
} as const;

/** Whose host costs are in the figures. */
function engineLine({ engine, hardware }: Predictor): string {
  const { stepSeconds, rowSeconds, layerSeconds } = costsOf(engine, hardware);
  const parts = [
    stepSeconds > 0 && `${ms(stepSeconds)} ms a step`,
    rowSeconds > 0 && `${digits(1e6 * rowSeconds)} us a sequence`,
    layerSeconds > 0 && `launching a layer ${digits(1e6 * layerSeconds)} us`,
  ].filter((part) => part !== false);
  const costs = parts.length > 0 ? ` (${parts.join(', ')})` : '';
  return `engine: ${engine.name}${costs}: ${engine.source}; --engine chooses another`;
}

function facts(prediction: Prediction): string[] {
  const { memory, batch, tpotSeconds } = prediction;
  const rows: [string, string][] = [
    [
      'TTFT',
      `${ms(prediction.ttftSeconds)} ms  (90 %: ${intervalText(prediction.ttftInterval)} ms; ${digits(prediction.prefillTokensPerSecond)} prompt tok/s)`,
    ],
  ];
  if (tpotSeconds !== undefined) {
    const itl = `ITL ${ms(prediction.itlFirstSeconds)} to ${ms(prediction.itlLastSeconds)} ms`;
    rows.push(
      ['TPOT', `${ms(tpotSeconds)} ms  (90 %: ${intervalText(prediction.tpotInterval)} ms; ${itl})`],
      [
        'decode',
        `${digits(prediction.tokensPerSecondPerUser!)} tok/s` +
          (batch > 1 ? ` a user, ${digits(prediction.tokensPerSecond!)} tok/s in total` : ''),
      ],
    );
  }
  const fits = memory.fits ? '' : ', does not fit';
  const of =
    memory.utilisation === undefined ? '' : ` = ${percent(memory.utilisation)} of ${bytes(memory.capacityBytes)}`;
  rows.push(
    ['E2E', `${ms(prediction.e2eSeconds)} ms  (TTFT is ${percent(prediction.ttftShare)} of it)`],
    ['weights', bytes(memory.weightBytes)],
    ['KV', `${bytes(memory.kvBytes)}, ${bytes(memory.kvBytesPerToken)} a token`],
    ['memory', `${bytes(memory.weightBytes + memory.kvBytes)}${of}${fits}`],
  );
  if (memory.largestBatch !== undefined && memory.largestContext !== undefined) {
    const bound = memory.contextBound === 'model' ? ' (the model’s own limit)' : '';
    rows.push([
      'fits',
      `batch ${memory.largestBatch} of this length, or context ${memory.largestContext}${bound} at this batch`,
    ]);
  }
  return rows.map(([name, value]) => `${name.padEnd(8)} ${value}`);
}

const phaseColumns: Column<[string, PhaseSummary]>[] = [
  { head: 'phase', key: 'phase', value: ([name]) => name, text: ([name]) => name },
  { head: 'ms', key: 'ms', value: ([, { seconds }]) => seconds, text: ([, { seconds }]) => ms(seconds) },
  { head: 'FLOPs', key: 'flops', value: ([, { flops }]) => flops, text: ([, { flops }]) => scaledUnit(flops, '') },
  { head: 'bytes', key: 'bytes', value: ([, each]) => each.bytes, text: ([, each]) => bytes(each.bytes) },
  {
    head: 'FLOP/byte',
    key: 'intensity',
    value: ([, { intensity }]) => intensity,
    text: ([, { intensity }]) => digits(intensity),
  },
  {
    head: 'bound by',
    key: 'bottleneck',
    value: ([, { bottleneck }]) => bottleneck,
    text: ([, { bottleneck }]) => bottleneck,
  },
  { head: 'MFU', key: 'mfu', value: ([, { mfu }]) => mfu, text: ([, { mfu }]) => percent(mfu) },
  { head: 'MBU', key: 'mbu', value: ([, { mbu }]) => mbu, text: ([, { mbu }]) => percent(mbu) },
  {
    head: 'idle compute',
    key: 'idle_compute',
    value: ([, { idleCompute }]) => idleCompute,
    text: ([, { idleCompute }]) => percent(idleCompute),
  },
];

const operationColumns = (phase: string, total: number): Column<OperationSummary>[] => [
  { head: phase, key: 'name', value: ({ name }) => name, text: ({ name }) => name },
  { head: 'launches', key: 'launches', value: ({ launches }) => launches, text: ({ launches }) => `${launches}` },
  { head: 'ms', key: 'ms', value: ({ seconds }) => seconds, text: ({ seconds }) => ms(seconds) },
  {
    head: 'share',
    key: 'share',
    value: ({ seconds }) => seconds / total,
    text: ({ seconds }) => percent(seconds / total),
  },
  {
    head: 'FLOP/byte',
    key: 'intensity',
    value: ({ intensity }) => intensity,
    text: ({ intensity }) => digits(intensity),
  },
  { head: 'bound by', key: 'bottleneck', value: ({ bottleneck }) => bottleneck, text: ({ bottleneck }) => bottleneck },
];
