import type { Comparison } from '../../compare/compare.js';
import type { JoinedPhase } from '../../compare/operations.js';
import { percent } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour, type Role } from '../theme.js';

/** Kinds in the order of the forward pass; matrices of a kind of work share a hue. */
const KINDS: readonly (readonly [name: string, role: Role])[] = [
  ['qkv', 'kind1'],
  ['attention', 'kind2'],
  ['o_proj', 'kind3'],
  ['gate_up', 'kind4'],
  ['down_proj', 'kind5'],
  ['lm_head', 'kind6'],
  ['norms, rope, embedding, sampling', 'kind7'],
];
const OTHER = KINDS.at(-1)![0];
const shownAs = (kind: string): string => KINDS.find(([name]) => name === kind)?.[0] ?? OTHER;

/** What each phase spends its GPU time on. */
export function operationsFigure({ phases }: Comparison): Figure | undefined {
  if (phases.length === 0) return undefined;
  const rows = phases.flatMap((phase) =>
    (['measured', 'predicted'] as const).flatMap((series) => {
      const key = series === 'measured' ? 'measuredMs' : 'predictedMs';
      const sums = new Map<string, number>();
      for (const each of phase.kinds) {
        sums.set(shownAs(each.kind), (sums.get(shownAs(each.kind)) ?? 0) + each[key] / phase[key]);
      }
      const order = (kind: string): number => KINDS.findIndex(([name]) => name === kind);
      return [...sums].map(([kind, share]) => ({ name: nameOf(phase), series, kind, share, order: order(kind) }));
    }),
  );
  return {
    id: 'operations',
    title: 'What each phase spends its time on',
    caption: `Prefill and decode run the same operations with different shares. ${phases.map(longest).join(' ')}`,
    key: 'GPU time of each operation, all layers together, as a share of all operations of the step.',
    spec: {
      data: { values: rows },
      facet: {
        row: {
          field: 'name',
          type: 'nominal',
          sort: phases.map(nameOf),
          header: { labelAngle: 0, labelAlign: 'left', labelFontSize: 12, labelColor: colour('ink'), title: null },
        },
      },
      spacing: 12,
      spec: {
        width: 520,
        height: 52,
        mark: { type: 'bar', height: 18, stroke: colour('surface'), strokeWidth: 1 },
        encoding: {
          y: {
            field: 'series',
            type: 'nominal',
            title: null,
            sort: ['measured', 'predicted'],
            axis: { domain: false, ticks: false },
          },
          x: {
            field: 'share',
            type: 'quantitative',
            title: 'share of GPU time',
            stack: 'zero',
            scale: { domain: [0, 1] },
            axis: { format: '.0%', tickCount: 5 },
          },
          color: {
            field: 'kind',
            type: 'nominal',
            scale: { domain: KINDS.map(([name]) => name), range: KINDS.map(([, role]) => colour(role)) },
            legend: { columns: 7, symbolType: 'square' },
          },
          order: { field: 'order' },
        },
      },
    },
  };
}

const nameOf = ({ phase, tokens, batch }: JoinedPhase): string =>
  phase === 'prefill' ? `prefill, ${tokens} tokens` : `decode, batch ${batch}`;

function longest(phase: JoinedPhase): string {
  const [first] = phase.kinds;
  return `${nameOf(phase)}: ${first.name} leads with ${percent(first.measuredMs / phase.measuredMs)}.`;
}
