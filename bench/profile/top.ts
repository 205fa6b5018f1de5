import { figure, markdownTable, markdownPercent } from '../tables/markdown.js';
import { kindOf } from '../tables/phases.js';
import { median } from '../../src/statistics.js';
import type { NamedStep } from './trace.js';

/** Most kinds of operation shown of a phase. */
const SHOWN = 12;

/** The kinds of operation that take longest in a phase, median over its steps, beside their prediction. */
export function topOperations(title: string, steps: readonly NamedStep[]): string {
  const names = (steps[0].step.operations ?? []).map(({ name }) => name);
  const kinds = new Map<string, { measured: number; predicted: number | undefined; launches: number }>();
  names.forEach((name, at) => {
    const times = steps.map(({ step }) => {
      const { beginNs, endNs } = step.operations![at];
      return Math.max(0, endNs - beginNs) / 1e6;
    });
    const predictions = steps.map(({ predictedMs }) => predictedMs?.get(name));
    const known = predictions.filter((each) => each !== undefined);
    const sum = kinds.get(kindOf(name)) ?? { measured: 0, predicted: known.length > 0 ? 0 : undefined, launches: 0 };
    kinds.set(kindOf(name), {
      measured: sum.measured + median(times),
      predicted: sum.predicted === undefined || known.length === 0 ? undefined : sum.predicted + median(known),
      launches: sum.launches + 1,
    });
  });
  const total = [...kinds.values()].reduce((sum, { measured }) => sum + measured, 0);
  const rows = [...kinds]
    .sort((a, b) => b[1].measured - a[1].measured)
    .slice(0, SHOWN)
    .map(([kind, { measured, predicted, launches }]) => [
      kind,
      String(launches),
      figure(measured),
      markdownPercent(measured / total),
      figure(predicted),
      predicted === undefined ? '-' : figure(measured / predicted),
    ]);
  const head = ['operation', 'launches', 'measured ms', 'share', 'predicted ms', 'measured / predicted'];
  return `## ${title}\n\n${markdownTable(head, rows, [false, true, true, true, true, true])}`;
}
