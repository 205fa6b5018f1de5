import { Predictor } from '../../../roofline/predict/predictor.js';
import { overtake, type OvertakeRow } from '../../../roofline/questions/overtake.js';
import { readAs } from '../../../engine/options/check.js';
import { whole } from '../../../engine/options/kinds.js';
import { option, words } from '../../../wording.js';
import { count, duration, rate } from '../../terminal/columns.js';
import { originLine } from './efficiencies.js';
import { emit } from '../../terminal/answer.js';
import type { FlagsIn } from '../../options/command-table.js';
import { PREDICT } from './flags.js';
import { refusePredict, type PredictFlags } from './options.js';
import { findHardware, findModel, predictorOptions, requestOf } from './subjects.js';
import type { Column } from '../../terminal/table.js';

/** Largest batch that is tried unless told otherwise. */
const MOST = 512;
const NUMBER = /^\d/;

/** What `--batch` of the crossover is about: sequences, or two platforms between which the batch decides. */
export function readBatch(values: readonly string[] | undefined): {
  readonly batch?: readonly number[];
  readonly platforms?: readonly string[];
} {
  if (values === undefined) return {};
  if (values.every((value) => NUMBER.test(value)))
    return { batch: values.map((value) => readAs('predict.batch', whole(1), value)) };
  if (values.length === 2 && !values.some((value) => NUMBER.test(value))) return { platforms: values };
  return refusePredict(
    'predict.batch',
    `must be ${PREDICT.crossoverBatch.batch.kind.wanted}, found ${JSON.stringify(values.join(' '))}`,
  );
}

/** `to` is the largest batch to try. */
export type OvertakeFlags = Omit<PredictFlags, 'batch'> & FlagsIn<typeof PREDICT.range>;

/** From which batch on one platform makes more tokens a second than another. */
export async function overtakeCommand(flags: OvertakeFlags, platforms: readonly string[]): Promise<number> {
  if (flags.hardware !== undefined) {
    refusePredict('predict.hardware', words`and two platforms at ${option('predict.batch')} cannot be given together`);
  }
  if (flags.from !== undefined) refusePredict('predict.from', 'is about prompts; batches begin at 1');
  const [model, hardware] = await Promise.all([
    findModel(flags.model),
    findHardware({ ...flags, hardware: [...platforms] }),
  ]);
  const pair = hardware.map((each) => new Predictor(model, each, predictorOptions(flags, each))) as [
    Predictor,
    Predictor,
  ];
  const { promptTokens, outputTokens } = requestOf(flags);
  const context = promptTokens + Math.floor(outputTokens / 2);
  const { rows, first, batch, largest } = overtake(pair, context, flags.to ?? MOST);
  const [ahead, behind] = [hardware[first], hardware[1 - first]];
  const columns: Column<OvertakeRow>[] = [
    count('batch', 'batch', (row) => row.batch),
    ...hardware.flatMap((each, at): Column<OvertakeRow>[] => [
      rate(`${each.id} tok/s`, `${each.id}_tokens_per_second`, (row) => row.tokensPerSecond[at]),
      duration('TPOT ms', `${each.id}_tpot_ms`, (row) => row.stepSeconds[at]),
    ]),
  ];
  const answer =
    batch === undefined
      ? `${ahead.id} is ahead at every batch up to ${flags.to ?? MOST}`
      : `${behind.id} overtakes ${ahead.id} at batch ${batch}`;
  const turns = hardware.map((each, at) => {
    return largest[at] < (flags.to ?? MOST) ? `${each.id} runs ${largest[at]} at once, others wait their turn\n` : '';
  });
  const origins = pair.map(({ hardware: { id }, pricer }) => `${id} ${originLine(pricer.efficiencies)}`);
  return emit(flags, {
    rows,
    columns,
    before: `decode with ${context} tokens of context each: ${model.name} on ${hardware.map(({ name }) => name).join(' and ')}\n`,
    after: `${answer}\n${turns.join('')}${[...new Set(origins)].join('')}`,
    json: {
      model: model.name,
      hardware: hardware.map(({ id }) => id),
      context,
      ahead_at_batch_1: ahead.id,
      overtaken_at_batch: batch ?? null,
      largest_batch: largest,
    },
  });
}
