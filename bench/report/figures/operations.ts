import type { Comparison } from '../../compare/compare.js';
import type { JoinedPhase } from '../../compare/operations.js';
import { markdownPercent } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour, type ColourRole } from '../theme.js';
import { pairedBars, type BarPart } from './bars.js';
import { chosenPhases } from './roofline.js';

/** Kinds in the order of the forward pass; matrices of a kind of work share a hue. */
const KINDS: readonly (readonly [name: string, role: ColourRole])[] = [
  ['qkv', 'kind1'],
  ['attention', 'kind2'],
  ['o_proj', 'kind3'],
  ['gate_up', 'kind4'],
  ['down_proj', 'kind5'],
  ['lm_head', 'kind6'],
  ['all else', 'kind7'],
];
const OTHER = KINDS.at(-1)![0];
const shownAs = (kind: string): string => KINDS.find(([name]) => name === kind)?.[0] ?? OTHER;

/** What each phase spends its GPU time on. */
export function operationsFigure({ phases }: Comparison): Figure | undefined {
  if (phases.length === 0) return undefined;
  const bars = phases.flatMap((phase) =>
    (['measured', 'predicted'] as const).flatMap((series) => {
      const key = series === 'measured' ? 'measuredMs' : 'predictedMs';
      const sums = new Map<string, number>();
      for (const each of phase.kinds) {
        sums.set(shownAs(each.kind), (sums.get(shownAs(each.kind)) ?? 0) + each[key] / phase[key]);
      }
      const order = (kind: string): number => KINDS.findIndex(([name]) => name === kind);
      return [...sums].map(([part, value]): BarPart => ({
        name: nameOf(phase),
        series,
        part,
        value,
        order: order(part),
      }));
    }),
  );
  return {
    id: 'operations',
    title: 'What each phase spends its time on',
    caption: `Prefill and decode run the same operations with different shares. ${chosenPhases(phases).map(longest).join(' ')}`,
    key: 'GPU time of each operation, all layers together, as a share of all operations of the step. All else: norms, rotary embedding, embedding, sampling.',
    spec: pairedBars(bars, {
      parts: KINDS.map(([name, role]) => [name, colour(role)]),
      title: 'share of GPU time',
      axis: { format: '.0%', tickCount: 5 },
      scale: { domain: [0, 1] },
    }),
  };
}

const nameOf = ({ phase, tokens, batch }: JoinedPhase): string =>
  phase === 'prefill' ? `prefill, ${tokens} tokens` : `decode, batch ${batch}`;

function longest(phase: JoinedPhase): string {
  const [first] = phase.kinds;
  const whole = markdownPercent(first.measuredMs / phase.measuredMs);
  const what = phase.phase === 'prefill' ? `A prefill of ${phase.tokens} tokens` : `A decode step of ${phase.batch}`;
  return `${what} spends most on ${first.name} (${whole}).`;
}
