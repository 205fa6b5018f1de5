import { memoryOf } from '../../../roofline/hardware/memory.js';
import { chunkLatency, decodingThatFits, type ChunkRow } from '../../../roofline/questions/chunk.js';
import { count, duration, rate, text } from '../../terminal/columns.js';
import { emit } from '../../terminal/answer.js';
import { ms, toMs } from '../../terminal/format.js';
import type { FlagsIn } from '../../options/command-table.js';
import type { PREDICT } from './flags.js';
import type { PredictFlags } from './options.js';
import { facts, footing, machineOf, subject } from './subject.js';
import type { Column } from '../../terminal/table.js';

/** A chunk of 0 is decoding alone. */
export type ChunkFlags = PredictFlags & FlagsIn<typeof PREDICT.steps>;

const CHUNKS = [0, 128, 256, 512, 1024, 2048, 4096];
const PROMPT = 4096;
/** How the gap between tokens grows with the chunks of a prompt that steps carry. */
export async function chunkCommand(flags: ChunkFlags): Promise<number> {
  const found = await subject({ prompt: [PROMPT], ...flags, batch: undefined, output: undefined, cached: undefined });
  const { promptTokens } = found.request;
  const { chunk: chunks = CHUNKS, context = promptTokens } = flags;
  const { decoding = decodingThatFits(found.predictor, context, promptTokens) } = flags;
  const rows = chunkLatency(found.predictor, { decoding, context, promptTokens }, chunks);
  const columns: Column<ChunkRow>[] = [
    count('chunk', 'chunk', (row) => row.chunk),
    duration('ITL ms', 'itl_ms', (row) => row.itlSeconds),
    duration('longest', 'itl_worst_ms', (row) => row.itlWorstSeconds),
    {
      head: 'at least',
      key: 'itl_floor_ms',
      value: (row) => toMs(row.floorSeconds),
      text: (row) => ms(row.floorSeconds),
    },
    rate('prompt tok/s', 'prefill_tokens_per_second', (row) => row.prefillTokensPerSecond),
    duration('TTFT ms', 'ttft_ms', (row) => row.ttftSeconds),
    text('bound by', 'bottleneck', (row) => row.bottleneck),
  ];
  const { model, predictor } = found;
  const { fits } = memoryOf(predictor, context, decoding);
  return emit(flags, {
    rows,
    columns,
    before:
      `chunked prefill: ${model.name} on ${machineOf(predictor)}, ${decoding} sequences decoding with ${context} tokens each, ` +
      `a prompt of ${promptTokens}\n${fits ? '' : 'their weights and caches do not fit there\n'}`,
    after:
      'ITL: mean and longest step while the prompt is processed; at least: matrices alone, at the peaks of both ceilings\n' +
      footing(found),
    json: { ...facts(found), batch: undefined, output_tokens: undefined, decoding, context, fits },
  });
}
