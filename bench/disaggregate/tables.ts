import { figure, markdownTable } from '../tables/markdown.js';
import { IN_WORDS, type Statistic } from '../compare/statistic.js';
import { verdicts, type Gain, type JudgedCell } from './judge.js';
import type { CellRecord, DisaggregateResult } from './schema.js';

/** A link in words. */
export const linkText = ({ mbit, delay_ms }: Pick<CellRecord, 'mbit' | 'delay_ms'>): string => {
  const rate = mbit === null ? 'none' : mbit >= 1000 ? `${figure(mbit / 1000)} Gbit` : `${mbit} Mbit`;
  return delay_ms === 0 ? rate : `${rate}, ${delay_ms} ms`;
};

const pairText = ({ prefill, decode }: CellRecord): string => `${prefill} -> ${decode}`;

/** Times the gain: measured, and in brackets predicted, and predicted at the host's pace. */
function gains({ gain, predictedGain, gainAtPace }: JudgedCell, which: keyof Gain): string {
  const predicted = gainAtPace === undefined ? [predictedGain] : [predictedGain, gainAtPace];
  return `${gain[which].toFixed(2)} (${predicted.map((each) => each[which].toFixed(2)).join('; ')})`;
}

/** The maps of gains and what requests went into, as Markdown. @param statistic what stands for samples in `cells` */
export function disaggregateTables(
  result: DisaggregateResult,
  cells: readonly JudgedCell[],
  statistic: Statistic,
): string {
  const pairs = [...new Set(cells.map(({ cell }) => pairText(cell)))];
  const maps = pairs.map((pair) => {
    const own = cells.filter(({ cell }) => pairText(cell) === pair);
    const { decode, prefill } = own[0].cell;
    const over = [gainMap(own, `over ${decode} alone`, 'overDecode')];
    if (prefill !== decode) over.push(gainMap(own, `over ${prefill} alone`, 'overPrefill'));
    return `### ${pair}\n\n${over.join('\n')}\n${breakdownTable(own)}`;
  });
  const said = verdicts(cells).map(({ what, held, of }) => `- ${what}: ${held} of ${of}\n`);
  const { repetitions } = result.options;
  const paced = cells.some(({ atPaceMs }) => atPaceMs !== undefined);
  const predicted = paced ? 'predicted; predicted at the pace that the host had at the time' : 'predicted';
  const head = `The ${IN_WORDS[statistic]} of ${repetitions} samples of each cell; gains are E2E alone over E2E of the pair, measured (${predicted}).\n`;
  return `${head}\n${maps.join('\n')}\n${said.join('')}`;
}

function gainMap(cells: readonly JudgedCell[], title: string, which: keyof Gain): string {
  const links = [...new Set(cells.map(({ cell }) => linkText(cell)))];
  const sizes = [...new Set(cells.map(({ cell }) => `${cell.n_prompt}, ${cell.n_gen}`))];
  const rows = sizes.map((size) => [
    size,
    ...links.map((link) => {
      const at = cells.find(({ cell }) => `${cell.n_prompt}, ${cell.n_gen}` === size && linkText(cell) === link);
      return at === undefined ? '' : gains(at, which);
    }),
  ]);
  return `Gain ${title}, by prompt and output, and network:\n\n${markdownTable(
    ['', ...links],
    rows,
    ['', ...links].map((_, at) => at > 0),
  )}\n`;
}

function breakdownTable(cells: readonly JudgedCell[]): string {
  const head = ['prompt, output', 'network', ...['prefill', 'exposed', 'tail', 'decode', 'E2E', 'KV there', 'formula']];
  const rows = cells.map(({ cell, measured, predicted, atPaceMs, kvMs, kvFormulaMs }) => [
    `${cell.n_prompt}, ${cell.n_gen}`,
    linkText(cell),
    ...(['prefillMs', 'exposedMs', 'tailMs', 'decodeMs'] as const).map(
      (part) => `${figure(measured[part])} (${figure(predicted[part])})`,
    ),
    `${figure(measured.e2elMs)} (${[predicted.e2elMs, ...(atPaceMs === undefined ? [] : [atPaceMs])].map(figure).join('; ')})`,
    figure(kvMs),
    figure(kvFormulaMs),
  ]);
  return `What a request went into, ms, measured (predicted), and the median time until keys and values were there:\n\n${markdownTable(
    head,
    rows,
    head.map((_, at) => at > 1),
  )}\n`;
}
