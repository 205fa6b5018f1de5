import type { Comparison } from '../../compare/compare.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';

/** Where the time of single requests goes: until the first token, and from there on. */
export function requestFigure({ result, predictor }: Comparison): Figure | undefined {
  const records = result.records.filter((record) => record.kind === 'tpot').filter(({ batch }) => batch === 1);
  if (records.length === 0) return undefined;
  const requests = records.map(({ n_prompt, n_gen, median_ttft_ms, median_tpot_ms }) => ({
    name: `${n_prompt} in, ${n_gen} out`,
    measured: { prefill: median_ttft_ms, decode: median_tpot_ms * (n_gen - 1) },
    predicted: {
      prefill: 1000 * predictor.prefillSeconds(n_prompt),
      decode: 1000 * predictor.decodeSeconds(n_prompt, n_gen - 1),
    },
  }));
  const rows = requests.flatMap(({ name, measured, predicted }) =>
    Object.entries({ measured, predicted }).flatMap(([series, { prefill, decode }]) => [
      { name, series, part: 'prefill (TTFT)', ms: prefill, order: 0 },
      { name, series, part: 'decode', ms: decode, order: 1 },
    ]),
  );
  const { name, measured } = requests.at(-1)!;
  const share = measured.prefill / (measured.prefill + measured.decode);
  return {
    id: 'request',
    title: 'Where the time of one request goes',
    caption:
      `A request first waits for its prompt to be processed, then for its tokens one by one. With ${name}, prefill takes ` +
      `${digits(100 * share)} % of ${digits(measured.prefill + measured.decode)} ms: long prompts make prefill matter, long answers decode.`,
    spec: {
      data: { values: rows },
      facet: {
        row: {
          field: 'name',
          type: 'nominal',
          sort: requests.map((request) => request.name),
          header: { labelAngle: 0, labelAlign: 'left', labelFontSize: 12, labelColor: colour('ink'), title: null },
        },
      },
      spacing: 12,
      spec: {
        width: 560,
        height: 52,
        mark: { type: 'bar', height: 18, cornerRadius: 1 },
        encoding: {
          y: {
            field: 'series',
            type: 'nominal',
            title: null,
            sort: ['measured', 'predicted'],
            axis: { domain: false, ticks: false },
          },
          x: { field: 'ms', type: 'quantitative', title: 'ms', stack: 'zero', axis: { format: '~s', tickCount: 6 } },
          color: {
            field: 'part',
            type: 'nominal',
            scale: { domain: ['prefill (TTFT)', 'decode'], range: [colour('prefill'), colour('decode')] },
          },
          order: { field: 'order' },
        },
      },
    },
  };
}
