import type { Figure, Spec } from '../../report/render.js';
import { colour } from '../../report/theme.js';
import { logAxis } from '../../report/figures/axes.js';
import { figure as digits } from '../../tables/markdown.js';
import type { PolicyMetrics } from './tables.js';

const POINTS = [50, 90, 99] as const;
const ROW = 46;

/** Latencies and throughput of policies under the same load. Undefined where nothing completed. */
export function policyFigure(rows: readonly PolicyMetrics[], load: string): Figure | undefined {
  const shown = rows.filter(({ metrics }) => metrics.measures.ttft !== undefined);
  if (shown.length === 0) return undefined;
  const names = shown.map(({ policy }) => policy);
  const panels = [
    latencyPanel(shown, names, {
      ...{ measure: 'ttft', title: 'Waiting for the first token (TTFT), ms', role: 'prefill', labels: true },
    }),
    latencyPanel(shown, names, {
      ...{ measure: 'itl', title: 'Between two tokens (ITL), ms', role: 'decode', labels: false },
    }),
    throughputPanel(shown, names),
  ].filter((panel) => panel !== undefined);
  return {
    id: 'policies',
    title: 'Policies under the same load',
    caption: `Each policy got the same requests at the same times: ${load}.`,
    key: 'Marks are the 50th, 90th and 99th percentile, from the left; axes are logarithmic.',
    spec: { hconcat: panels, spacing: 26 },
  };
}

function rowAxis(names: readonly string[], labels: boolean) {
  const axis = labels
    ? { domain: false, ticks: false, labelFontSize: 12, labelColor: colour('ink'), labelLimit: 0, labelPadding: 10 }
    : null;
  return { field: 'policy', type: 'nominal', sort: [...names], title: null, axis };
}

interface Panel {
  readonly measure: 'ttft' | 'itl';
  readonly title: string;
  readonly role: 'prefill' | 'decode';
  /** Whether rows bear the names of their policies. */
  readonly labels: boolean;
}

function latencyPanel(
  rows: readonly PolicyMetrics[],
  names: readonly string[],
  { measure, title, role, labels }: Panel,
): Spec | undefined {
  const marks = rows.flatMap(({ policy, metrics }) =>
    (metrics.measures[measure]?.percentiles ?? [])
      .filter(([percent]) => (POINTS as readonly number[]).includes(percent))
      .map(([percent, ms]) => ({ policy, percent, ms: Math.max(ms, 0.01), text: `p${percent} ${digits(ms)}` })),
  );
  if (marks.length === 0) return undefined;
  const values = marks.map(({ ms }) => ms);
  const x = logAxis('ms', [Math.min(...values) / 1.6, Math.max(...values) * 1.9], title);
  const y = rowAxis(names, labels);
  const spans = names.flatMap((policy) => {
    const own = marks.filter((mark) => mark.policy === policy).map(({ ms }) => ms);
    return own.length === 0 ? [] : [{ policy, low: Math.min(...own), high: Math.max(...own) }];
  });
  // The label of the middle mark would lie upon the others'.
  const ends = marks.filter(({ percent }) => percent !== 90);
  return {
    width: 290,
    height: ROW * names.length,
    layer: [
      {
        data: { values: spans },
        mark: { type: 'rule', strokeWidth: 2.5, opacity: 0.45, color: colour(role) },
        encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
      },
      {
        data: { values: marks },
        mark: { type: 'point', filled: true, opacity: 1, size: 60, color: colour(role) },
        encoding: { x, y },
      },
      {
        data: { values: ends.filter(({ percent }) => percent === 50) },
        mark: { type: 'text', dy: -12, align: 'center', color: colour('soft') },
        encoding: { x, y, text: { field: 'text' } },
      },
      {
        data: { values: ends.filter(({ percent }) => percent === 99) },
        mark: { type: 'text', dy: 15, align: 'center', color: colour('soft') },
        encoding: { x, y, text: { field: 'text' } },
      },
    ],
  };
}

function throughputPanel(rows: readonly PolicyMetrics[], names: readonly string[]): Spec {
  const values = rows.map(({ policy, metrics }) => ({
    policy,
    rate: metrics.outputTokensPerS,
    text:
      metrics.goodPerS === undefined
        ? digits(metrics.outputTokensPerS)
        : `${digits(metrics.outputTokensPerS)}, good ${digits(metrics.goodPerS)} req/s`,
  }));
  const most = Math.max(...values.map(({ rate }) => rate));
  const x = {
    field: 'rate',
    type: 'quantitative',
    scale: { domain: [0, most * 1.9], nice: false },
    title: 'Output tokens a second',
    axis: { tickCount: 4, grid: false },
  };
  const y = rowAxis(names, false);
  return {
    width: 190,
    height: ROW * names.length,
    layer: [
      { data: { values }, mark: { type: 'bar', size: 16, color: colour('measured') }, encoding: { x, y } },
      {
        data: { values },
        mark: { type: 'text', align: 'left', dx: 5, color: colour('soft') },
        encoding: { x, y, text: { field: 'text' } },
      },
    ],
  };
}
