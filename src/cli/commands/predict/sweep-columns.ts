import { intervalText } from './interval.js';
import type { Prediction } from '../../../roofline/predict/predict.js';
import { bytes, digits, ms, percent, toMs } from '../../terminal/format.js';
import type { Column } from '../../terminal/table.js';

const shown = (value: number | undefined): string => (value === undefined ? '-' : digits(value));

/** A line a prediction. */
export const sweepColumns: readonly Column<Prediction>[] = [
  { head: 'model', key: 'model', value: ({ model }) => model },
  { head: 'hardware', key: 'hardware', value: ({ hardware }) => hardware, text: ({ hardware }) => hardware },
  { head: 'chips', key: 'chips', value: ({ chips }) => chips, text: ({ chips }) => `${chips}` },
  {
    head: 'weights',
    key: 'weight_dtype',
    value: ({ predictor }) => predictor.weights,
    text: ({ predictor }) => predictor.weights,
  },
  { head: 'prompt', key: 'prompt_tokens', value: (row) => row.promptTokens, text: (row) => `${row.promptTokens}` },
  { head: 'output', key: 'output_tokens', value: (row) => row.outputTokens, text: (row) => `${row.outputTokens}` },
  { head: 'batch', key: 'batch', value: ({ batch }) => batch, text: ({ batch }) => `${batch}` },
  { head: 'TTFT ms', key: 'ttft_ms', value: (row) => toMs(row.ttftSeconds), text: (row) => ms(row.ttftSeconds) },
  { head: '', key: 'cached_tokens', value: (row) => row.cachedTokens },
  { head: '', key: 'ttft_share', value: (row) => row.ttftShare },
  {
    head: '90 %',
    key: 'ttft_low_ms',
    value: (row) => toMs(row.ttftInterval.low),
    text: (row) => intervalText(row.ttftInterval),
  },
  { head: '', key: 'ttft_high_ms', value: (row) => toMs(row.ttftInterval.high) },
  { head: 'TPOT ms', key: 'tpot_ms', value: (row) => toMs(row.tpotSeconds), text: (row) => ms(row.tpotSeconds) },
  { head: '', key: 'itl_first_ms', value: (row) => toMs(row.itlFirstSeconds) },
  { head: '', key: 'itl_last_ms', value: (row) => toMs(row.itlLastSeconds) },
  {
    head: '90 %',
    key: 'tpot_low_ms',
    value: (row) => toMs(row.tpotInterval?.low),
    text: (row) => intervalText(row.tpotInterval),
  },
  { head: '', key: 'tpot_high_ms', value: (row) => toMs(row.tpotInterval?.high) },
  { head: 'E2E ms', key: 'e2e_ms', value: (row) => toMs(row.e2eSeconds), text: (row) => ms(row.e2eSeconds) },
  {
    head: 'tok/s user',
    key: 'tokens_per_second_per_user',
    value: (row) => row.tokensPerSecondPerUser,
    text: (row) => shown(row.tokensPerSecondPerUser),
  },
  {
    head: 'tok/s',
    key: 'tokens_per_second',
    value: (row) => row.tokensPerSecond,
    text: (row) => shown(row.tokensPerSecond),
  },
  {
    head: 'weights and KV',
    key: 'memory_bytes',
    value: ({ memory }) => memory.weightBytes + memory.kvBytes,
    text: ({ memory }) => bytes(memory.weightBytes + memory.kvBytes),
  },
  {
    head: 'memory',
    key: 'memory_utilisation',
    value: ({ memory }) => memory.utilisation,
    text: ({ memory }) => percent(memory.utilisation),
  },
  { head: 'fits', key: 'fits', value: ({ memory }) => memory.fits, text: ({ memory }) => (memory.fits ? 'yes' : 'no') },
  {
    head: 'bound by',
    key: 'prefill_bottleneck',
    value: ({ prefill }) => prefill.bottleneck,
    text: ({ prefill, decode }) => `${prefill.bottleneck}${decode === undefined ? '' : `, ${decode.bottleneck}`}`,
  },
  { head: '', key: 'decode_bottleneck', value: ({ decode }) => decode?.bottleneck },
  { head: '', key: 'prefill_mfu', value: ({ prefill }) => prefill.mfu },
  { head: '', key: 'prefill_mbu', value: ({ prefill }) => prefill.mbu },
  { head: '', key: 'decode_mfu', value: ({ decode }) => decode?.mfu },
  { head: '', key: 'decode_mbu', value: ({ decode }) => decode?.mbu },
];
