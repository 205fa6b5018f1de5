import type { Comparison } from '../../compare/compare.js';
import { quantile } from '../../../src/statistics.js';
import { figure as digits } from '../../tables/markdown.js';
import type { Figure } from '../render.js';
import { colour } from '../theme.js';

/** TTFT against the length of the prompt, every sample shown. */
export function promptFigure({ result, predictor, points }: Comparison): Figure | undefined {
  const records = result.records.filter((record) => record.kind === 'ttft');
  if (records.length < 2) return undefined;
  const longest = Math.max(...records.map(({ n_prompt }) => n_prompt));
  const steps = 60;
  const line = Array.from({ length: steps }, (_, index) => Math.max(1, Math.round((longest * (index + 1)) / steps)));
  const color = {
    field: 'series',
    type: 'nominal',
    scale: { domain: ['measured', 'predicted'], range: [colour('measured'), colour('predicted')] },
  };
  const x = { field: 'prompt', type: 'quantitative', title: 'tokens in the prompt', axis: { grid: false } };
  const y = { field: 'ms', type: 'quantitative', title: 'TTFT, ms' };
  const measured = records.map((record) => {
    const sorted = [...record.ttfts_ms].sort((a, b) => a - b);
    const [low, high] = [quantile(sorted, 0.1), quantile(sorted, 0.9)];
    return { prompt: record.n_prompt, ms: record.median_ttft_ms, low, high, series: 'measured' };
  });
  const predicted = line.map((prompt) => ({
    prompt,
    ms: 1000 * predictor.prefillSeconds(prompt),
    series: 'predicted',
  }));
  const last = points.filter(({ measure }) => measure === 'ttft').at(-1)!;
  return {
    id: 'prompt-length',
    title: 'Waiting for the first token',
    caption:
      `Prefill computes all tokens of a prompt at once, so the wait grows with its length, and faster than in proportion ` +
      `where attention weighs in: every token looks at all before it. ${last.prompt} tokens take ` +
      `${digits(last.measuredMs)} ms, ${digits((1000 * last.prompt) / last.measuredMs)} prompt tokens a second.`,
    key: 'Marks are medians; bars reach from the 10th to the 90th percentile of the repetitions.',
    spec: {
      width: 720,
      height: 280,
      layer: [
        { data: { values: predicted }, mark: { type: 'line', strokeWidth: 2 }, encoding: { x, y, color } },
        {
          data: { values: measured },
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: {
            x,
            y: { field: 'low', type: 'quantitative', title: 'TTFT, ms' },
            y2: { field: 'high' },
            color,
          },
        },
        {
          data: { values: measured },
          mark: { type: 'point', filled: true, size: 80, opacity: 1 },
          encoding: { x, y, color },
        },
      ],
    },
  };
}
