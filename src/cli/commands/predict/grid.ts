import { option, words } from '../../../wording.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { grid, GRID_PHASES, meanRatio, type GridCell } from '../../../roofline/questions/grid.js';
import { print } from '../../terminal/output.js';
import { count, duration, text, yesNo } from '../../terminal/columns.js';
import { originLine } from './efficiencies.js';
import { emit } from '../../terminal/answer.js';
import type { FlagsIn } from '../../options/command-table.js';
import type { PREDICT } from './flags.js';
import { refusePredict, single, type PredictFlags } from './options.js';
import { findHardware, findModel, predictorOptions } from './subjects.js';
import { textTable, type Column } from '../../terminal/table.js';

export type GridFlags = PredictFlags & FlagsIn<typeof PREDICT.map>;

const LENGTHS = [64, 128, 256, 512, 1024, 2048, 4096, 8192, 12_288, 16_384];
const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Latency of a platform over that of another, over batch and length, in both phases. */
export async function gridCommand({ against, ...flags }: GridFlags): Promise<number> {
  if (against === undefined) {
    return refusePredict(
      'predict.grid',
      words`needs ${option('predict.against')}: the hardware whose latency is 1, such as h100-sxm`,
    );
  }
  if (flags.cached !== undefined) refusePredict('predict.grid', words`takes no ${option('predict.cached')}`);
  const [model, [hardware, ...more], [reference]] = await Promise.all([
    findModel(flags.model),
    findHardware(flags),
    findHardware({ ...flags, hardware: [against] }),
  ]);
  single('predict.hardware', [hardware, ...more]);
  const on = (each: typeof hardware) => new Predictor(model, each, predictorOptions(flags, each));
  const [ours, theirs] = [on(hardware), on(reference)];
  const [batches, lengths] = [flags.batch ?? BATCHES, flags.prompt ?? LENGTHS];
  const cells = grid(ours, theirs, batches, lengths);
  const means = GRID_PHASES.map((phase) => meanRatio(cells, phase));
  if (!flags.json && !flags.csv) {
    const chips = ours.chips > 1 ? `${ours.chips} x ` : '';
    const maps = GRID_PHASES.map((phase, at) => {
      const mean = means[at];
      const average = mean === undefined ? 'nothing fits' : `${mean.toFixed(2)} on average`;
      return `${phase}, ${average}\n${map(
        cells.filter((cell) => cell.phase === phase),
        batches,
        lengths,
      )}`;
    });
    print(
      `${model.name} on ${chips}${hardware.name}, latency over that of ${chips}${reference.name}; below 1 is faster, ` +
        `- does not fit one of them\n\n${maps.join('\n')}\n` +
        `${hardware.id} ${originLine(ours.pricer.efficiencies)}${reference.id} ${originLine(theirs.pricer.efficiencies)}`,
    );
    return 0;
  }
  const columns: Column<GridCell>[] = [
    text('phase', 'phase', (cell) => cell.phase),
    count('batch', 'batch', (cell) => cell.batch),
    count('tokens', 'tokens', (cell) => cell.tokens),
    duration('ms', 'ms', (cell) => cell.seconds),
    duration('reference ms', 'reference_ms', (cell) => cell.referenceSeconds),
    { head: 'ratio', key: 'ratio', value: (cell) => cell.ratio },
    yesNo('fits', 'fits', (cell) => cell.fits),
  ];
  return emit(flags, {
    rows: cells,
    columns,
    json: {
      model: model.name,
      hardware: hardware.id,
      against: reference.id,
      chips: ours.chips,
      mean_ratio: { prefill: means[0] ?? null, decode: means[1] ?? null },
    },
  });
}

/** A line a batch, a column a length. */
function map(cells: readonly GridCell[], batches: readonly number[], lengths: readonly number[]): string {
  const at = (batch: number, tokens: number) => {
    return cells.find((cell) => cell.batch === batch && cell.tokens === tokens)!;
  };
  const columns: Column<number>[] = [
    count('batch', 'batch', (batch) => batch),
    ...lengths.map((tokens): Column<number> => ({
      head: String(tokens),
      key: String(tokens),
      value: (batch) => at(batch, tokens).ratio,
      text: (batch) => (at(batch, tokens).fits ? at(batch, tokens).ratio.toFixed(2) : '-'),
    })),
  ];
  return textTable(batches, columns);
}
