import { CATALOGUE } from '../../../roofline/hardware/catalogue.js';
import { batchThroughput, type BatchRow } from '../../../roofline/questions/batch.js';
import { crossover, type Crossover } from '../../../roofline/questions/crossover.js';
import { quantization, type QuantizationRow } from '../../../roofline/questions/quantization.js';
import { sensitivity, type SensitivityRow } from '../../../roofline/questions/sensitivity.js';
import { sla, type SlaRow } from '../../../roofline/questions/sla.js';
import { count, duration, rate, text, yesNo } from '../../terminal/columns.js';
import type { FlagsIn } from '../../options/command-table.js';
import { emit } from '../../terminal/answer.js';
import { EVIDENCE } from './interval.js';
import { bytes, digits, percent, times } from '../../terminal/format.js';
import { PREDICT } from './flags.js';
import { refusePredict, type PredictFlags } from './options.js';
import { facts, footing, heading, subject } from './subject.js';
import { USUAL_REQUEST, findHardware, findModel, predictorOptions, requestOf } from './subjects.js';
import type { Column } from '../../terminal/table.js';

/** Limits are milliseconds. */
export type SlaFlags = PredictFlags & FlagsIn<typeof PREDICT.limits>;

/** Which hardware meets limits on TTFT and ITL. */
export async function slaCommand(flags: SlaFlags): Promise<number> {
  const { ttft = PREDICT.limits.ttft.default, itl = PREDICT.limits.itl.default } = flags;
  const linked = CATALOGUE.filter(({ link }) => (flags.tp ?? PREDICT.how.tp.default) === 1 || link !== undefined);
  const [model, hardware] = await Promise.all([findModel(flags.model), findHardware(flags, linked)]);
  const request = requestOf(flags);
  const limits = { ttftSeconds: ttft / 1000, itlSeconds: itl / 1000 };
  const rows = hardware.flatMap((each) => sla(model, [each], request, limits, predictorOptions(flags, each)));
  const columns: Column<SlaRow>[] = [
    text('hardware', 'hardware', (row) => row.hardware),
    count('chips', 'chips', (row) => row.chips),
    duration('TTFT ms', 'ttft_ms', (row) => row.ttftSeconds),
    duration('ITL ms', 'itl_ms', (row) => row.itlSeconds),
    yesNo('fits', 'fits', (row) => row.fits),
    {
      head: 'likely',
      key: 'probability',
      value: (row) => row.probability,
      text: (row) => percent(row.probability, 0),
    },
    text('known by', 'evidence', (row) => EVIDENCE[row.evidence]),
    { head: 'verdict', key: 'pass', value: (row) => row.pass, text: (row) => (row.pass ? 'PASS' : 'FAIL') },
    text('missed', 'missed', ({ failures, chipsToFit }) => {
      const more = chipsToFit === undefined ? '' : ` (${chipsToFit} chips would hold it)`;
      return failures.join(', ') + (failures.includes('memory') ? more : '');
    }),
  ];
  const { promptTokens, outputTokens, batch } = request;
  return emit(flags, {
    rows,
    columns,
    before: `${model.name}, prompt ${promptTokens}, output ${outputTokens}, batch ${batch}: TTFT within ${ttft} ms, every ITL within ${itl} ms\n`,
    after: 'efficiencies: "predict --hardware <id>" prints those of each\n',
    json: { model: model.name, ttft_limit_ms: ttft, itl_limit_ms: itl, prompt_tokens: promptTokens, batch },
  });
}

export type CrossoverFlags = PredictFlags & FlagsIn<typeof PREDICT.range>;

/** From which prompt on prefill takes longer than decoding so many tokens. */
export async function crossoverCommand(flags: CrossoverFlags): Promise<number> {
  const { cached = PREDICT.where.cached.default } = flags;
  const shortest = flags.from ?? cached + 1;
  if (shortest <= cached)
    refusePredict('predict.from', `must be more than the ${cached} tokens that are cached, found ${shortest}`);
  const found = await subject({ ...flags, output: undefined, cached: undefined });
  const { model, predictor, request } = found;
  const longest = Math.max(shortest, flags.to ?? model.maxPositions);
  const rows = (flags.output ?? USUAL_REQUEST.output).map((tokens) =>
    crossover(predictor, tokens, [shortest, longest], request.batch, cached),
  );
  const columns: Column<Crossover>[] = [
    count('output', 'output_tokens', (row) => row.outputTokens),
    {
      head: 'TTFT overtakes decode from prompt',
      key: 'prompt_tokens',
      value: (row) => row.promptTokens,
      text: (row) =>
        row.promptTokens === undefined ? `never in ${row.range[0]}..${row.range[1]}` : `${row.promptTokens}`,
    },
    {
      head: 'TTFT / decode at the longest',
      key: 'share_at_longest',
      value: (row) => row.shareAtLongest,
      text: (row) => row.shareAtLongest.toPrecision(3),
    },
    { head: '', key: 'share_at_shortest', value: (row) => row.shareAtShortest },
    { head: '', key: 'longest_prompt', value: (row) => row.range[1] },
  ];
  const before = `${model.name} on ${found.hardware.name}, batch ${request.batch}: prompts of ${rows[0].range[0]} to ${longest} tokens\n`;
  return emit(flags, {
    rows,
    columns,
    before,
    after: footing(found),
    json: { ...facts(found), output_tokens: undefined },
  });
}

/** What narrower formats gain in each phase. */
export async function quantizationCommand(flags: PredictFlags): Promise<number> {
  const found = await subject(flags);
  const rows = quantization(found.model, found.hardware, found.request, found.options);
  const columns: Column<QuantizationRow>[] = [
    text('scheme', 'scheme', (row) => row.name),
    text('weights', 'weight_dtype', (row) => row.weights),
    text('products', 'roof', (row) => row.roof.name),
    duration('TTFT ms', 'ttft_ms', (row) => row.ttftSeconds),
    { head: 'faster', key: 'ttft_speedup', value: (row) => row.ttftSpeedup, text: (row) => times(row.ttftSpeedup) },
    duration('TPOT ms', 'tpot_ms', (row) => row.tpotSeconds),
    { head: 'faster', key: 'tpot_speedup', value: (row) => row.tpotSpeedup, text: (row) => times(row.tpotSpeedup) },
    { head: 'weights', key: 'weight_bytes', value: (row) => row.weightBytes, text: (row) => bytes(row.weightBytes) },
    yesNo('fits', 'fits', (row) => row.fits),
  ];
  const after = `W8A16: 8-bit weights, products in f16; where products name a wider format, the device has no rate of that width.\n${footing(found)}`;
  return emit(flags, { rows, columns, before: heading(found, 'quantization'), after, json: facts(found) });
}

/** How latency follows bandwidth and the number of cores. */
export async function sensitivityCommand(flags: PredictFlags): Promise<number> {
  const found = await subject(flags);
  const rows = sensitivity(found.model, found.hardware, found.request, found.options);
  const change = (head: string, key: string, value: (row: SensitivityRow) => number): Column<SensitivityRow> => ({
    head,
    key,
    value,
    text: (row) => `${value(row) > 0 ? '+' : ''}${percent(value(row))}`,
  });
  const columns: Column<SensitivityRow>[] = [
    text('resource', 'resource', (row) => row.resource),
    { head: 'of it', key: 'factor', value: (row) => row.factor, text: (row) => percent(row.factor, 0) },
    duration('TTFT ms', 'ttft_ms', (row) => row.ttftSeconds),
    change('change', 'ttft_change', (row) => row.ttftChange),
    duration('TPOT ms', 'tpot_ms', (row) => row.tpotSeconds),
    change('change', 'tpot_change', (row) => row.tpotChange),
  ];
  return emit(flags, {
    rows,
    columns,
    before: heading(found, 'sensitivity'),
    after: footing(found),
    json: facts(found),
  });
}

const BATCHES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** Decode throughput against the batch, between the line of bandwidth and the ceiling of compute. */
export async function batchCommand(flags: PredictFlags): Promise<number> {
  const found = await subject({ ...flags, batch: undefined });
  const context = found.request.promptTokens + Math.floor(found.request.outputTokens / 2);
  const answer = batchThroughput(found.predictor, context, flags.batch ?? BATCHES);
  const columns: Column<BatchRow>[] = [
    count('batch', 'batch', (row) => row.batch),
    duration('step ms', 'step_ms', (row) => row.stepSeconds),
    rate('tok/s', 'tokens_per_second', (row) => row.tokensPerSecond),
    rate('bandwidth line', 'bandwidth_line', (row) => row.bandwidthLine),
    rate('compute ceiling', 'compute_ceiling', (row) => row.computeCeiling),
    { head: 'MFU', key: 'mfu', value: (row) => row.mfu, text: (row) => percent(row.mfu) },
    yesNo('fits', 'fits', (row) => row.fits),
  ];
  const knee =
    answer.knee === undefined
      ? 'none: the cache of each sequence costs more bandwidth than it brings work'
      : digits(answer.knee);
  const fit = answer.largestFit === undefined ? '' : `; memory holds ${answer.largestFit}`;
  return emit(flags, {
    rows: answer.rows,
    columns,
    before: `decode with ${context} tokens of context each: ${found.model.name} on ${found.hardware.name}\n`,
    after: `knee for the weights alone: batch ${digits(answer.weightKnee)}; with the cache: ${knee}${fit}\n${footing(found)}`,
    json: { ...facts(found), batch: undefined, context, weight_knee: answer.weightKnee, knee: answer.knee ?? null },
  });
}
