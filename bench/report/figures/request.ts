import type { Comparison } from '../../compare/compare.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';
import { pairedBars, type BarPart } from './bars.js';

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
  const bars = requests.flatMap(({ name, ...both }) =>
    (['measured', 'predicted'] as const).flatMap((series): BarPart[] => [
      { name, series, part: 'prefill (TTFT)', value: both[series].prefill, order: 0 },
      { name, series, part: 'decode', value: both[series].decode, order: 1 },
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
    spec: pairedBars(bars, {
      parts: [
        ['prefill (TTFT)', colour('prefill')],
        ['decode', colour('decode')],
      ],
      title: 'ms',
      axis: { tickCount: 6 },
      end: (total) => `${digits(total)} ms`,
    }),
  };
}
