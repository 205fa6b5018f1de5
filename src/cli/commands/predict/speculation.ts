import { Predictor } from '../../../roofline/predict/predictor.js';
import { speculation, type SpeculationRow } from '../../../roofline/questions/speculation.js';
import { count, duration, factor, rate } from '../../terminal/columns.js';
import { emit } from '../../terminal/answer.js';
import { percent } from '../../terminal/format.js';
import type { FlagsIn } from '../../options/command-table.js';
import { PREDICT } from './flags.js';
import { refusePredict, type PredictFlags } from './options.js';
import { facts, footing, machineOf, subject } from './subject.js';
import { findModel, predictorOptions } from './subjects.js';
import type { Column } from '../../terminal/table.js';

export type SpeculatedFlags = PredictFlags & FlagsIn<typeof PREDICT.guesses>;

const BATCHES = [1, 4, 16, 64];
const { draft: DRAFT, draftTokens: LENGTHS, acceptance: ACCEPTANCE } = PREDICT.guesses;
/** Guesses that no model makes. */
const LOOKUP = DRAFT.default;

/** Whether a draft pays, by batch and number of guesses. */
export async function speculationCommand(flags: SpeculatedFlags): Promise<number> {
  const { acceptance = ACCEPTANCE.default, draft: name = LOOKUP, draftTokens: lengths = LENGTHS.default } = flags;
  const found = await subject({ ...flags, batch: undefined, cached: undefined });
  const { model, hardware, request, predictor } = found;
  // Small models run on one chip, as dividing them costs more than it brings.
  const options = predictorOptions({ ...flags, tp: 1, pp: 1, ep: false }, hardware);
  const draft = name === LOOKUP ? undefined : new Predictor(await findModel(name, 'predict.draft'), hardware, options);
  if (draft !== undefined && draft.model.vocab !== model.vocab) {
    refusePredict(
      'predict.draft',
      `${name} has ${draft.model.vocab} tokens and ${model.name} ${model.vocab}; a draft needs the tokens of its model`,
    );
  }
  const context = request.promptTokens + Math.floor(request.outputTokens / 2);
  const rows = speculation(predictor, { draft, acceptance, context }, flags.batch ?? BATCHES, lengths);
  const columns: Column<SpeculationRow>[] = [
    count('batch', 'batch', (row) => row.batch),
    count('guesses', 'draft_tokens', (row) => row.draftTokens),
    rate('tokens a round', 'tokens_per_round', (row) => row.tokensPerRound),
    duration('draft ms', 'draft_ms', (row) => row.draftSeconds),
    duration('check ms', 'verify_ms', (row) => row.verifySeconds),
    duration('token ms', 'token_ms', (row) => row.tokenSeconds),
    duration('plain ms', 'plain_ms', (row) => row.plainSeconds),
    factor('faster', 'speedup', (row) => row.speedup),
    {
      head: 'pays from',
      key: 'break_even_acceptance',
      value: (row) => row.breakEven,
      text: ({ breakEven }) => (breakEven === undefined ? 'never' : percent(breakEven, 0)),
    },
  ];
  const who = draft === undefined ? 'guesses looked up in the text' : `guesses of ${draft.model.name}`;
  return emit(flags, {
    rows,
    columns,
    before: `speculation: ${model.name} on ${machineOf(predictor)}, ${who}, ${percent(acceptance, 0)} of them right, context ${context}\n`,
    after: `pays from: the share of right guesses at which a token takes no longer than without\n${footing(found)}`,
    json: { ...facts(found), batch: undefined, context, draft: name, acceptance },
  });
}
