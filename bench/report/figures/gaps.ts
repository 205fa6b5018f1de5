import type { Comparison } from '../../compare/compare.js';
import type { TpotRecord } from '../../schema.js';
import { histogram, quantile } from '../../../src/statistics.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';

/** Most panels; a sweep has more points than a reader wants to see. */
const PANELS = 4;

/** The gaps between tokens, counted, for the batches at one context. */
export function gapsFigure({ result }: Comparison): Figure | undefined {
  const records = shown(result.records.filter((record) => record.kind === 'tpot'));
  if (records.length === 0) return undefined;
  const panels = records.map((record) => ({
    record,
    name: `${record.batch} at once`,
    // Results of older versions have the gaps, but not counted.
    bins: record.itl_histogram ?? histogram(record.itls),
  }));
  // Steps that had piled up behind a slow one come at once; gaps of microseconds would only push the rest aside.
  const least = Math.min(...records.map(({ median_itl_ms }) => median_itl_ms)) / 8;
  const values = panels.flatMap(({ name, bins: { edges_ms, counts } }) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.flatMap((count, at) =>
      count === 0 || edges_ms[at + 1] <= least
        ? []
        : [{ name, from: Math.max(edges_ms[at], least), to: edges_ms[at + 1], share: count / all }],
    );
  });
  const names = panels.map(({ name }) => name);
  const longest = Math.max(...panels.map(({ bins }) => bins.edges_ms.at(-1)!));
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { type: 'log', nice: false, domain: [least, longest] },
    title: 'gap before a token, ms',
    axis: { grid: false },
  });
  const row = {
    field: 'name',
    type: 'nominal',
    sort: names,
    title: null,
    header: { labelAngle: 0, labelAlign: 'left', labelColor: colour('ink') },
  };
  const most = [...records].sort((a, b) => b.p99_itl_ms / b.median_itl_ms - a.p99_itl_ms / a.median_itl_ms)[0];
  const sorted = [...most.itls].sort((a, b) => a - b);
  return {
    id: 'gaps',
    title: 'How evenly tokens come',
    caption:
      `TPOT is a mean, and a reader feels the single gap. Most gaps are alike, for every step does the same work; those ` +
      `far to the right are steps that waited, for a core, a collection of garbage, or another sequence's prompt. With ` +
      `${most.batch} at once half of the gaps are below ${digits(most.median_itl_ms)} ms, 9 of 10 below ` +
      `${digits(quantile(sorted, 0.9))} ms and 99 of 100 below ${digits(most.p99_itl_ms)} ms.`,
    key: `Share of the gaps (ITL) of all repetitions by length, after a context of ${records[0].n_prompt} tokens; gaps below ${digits(least)} ms, of tokens that had piled up behind a slow step, are not drawn. Bins are 9 % wide.`,
    spec: {
      data: { values },
      facet: { row },
      spacing: 14,
      spec: {
        width: 640,
        height: 74,
        layer: [
          {
            mark: { type: 'rect', color: colour('decode'), opacity: 0.85 },
            encoding: {
              x: x('from'),
              x2: { field: 'to' },
              y: {
                field: 'share',
                type: 'quantitative',
                title: null,
                axis: { format: '.0%', tickCount: 3 },
                scale: { zero: true },
              },
              y2: { datum: 0 },
            },
          },
        ],
      },
    },
  };
}

/** Records of the context with most batches, at most so many, the smallest and largest batch among them. */
function shown(records: readonly TpotRecord[]): TpotRecord[] {
  const by = new Map<number, TpotRecord[]>();
  for (const record of records) by.set(record.n_prompt, [...(by.get(record.n_prompt) ?? []), record]);
  const best = [...by.values()].reduce<TpotRecord[]>((most, each) => (each.length > most.length ? each : most), []);
  const step = Math.max(1, (best.length - 1) / (PANELS - 1));
  return best.length <= PANELS ? best : Array.from({ length: PANELS }, (_, at) => best[Math.round(at * step)]);
}
