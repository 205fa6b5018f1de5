import { RidgepointError } from '../../errors.js';
import { numbersOf, parseCsv } from '../price/csv.js';
import type { SimulatedRequest } from '../request.js';
import { MersenneTwister } from './mersenne-twister.js';

export interface SplitwiseTraceOptions {
  /** Requests a second. */
  readonly rate: number;
  /** Seconds. */
  readonly duration: number;
  readonly seed: number;
  /** Requests drawn before those after the end are dropped: all draws of one kind come before those of the next. */
  readonly drawn?: number;
}

/**
 * Requests as splitwise-sim's `generate_trace.py` draws them after `numpy.random.seed(seed)`: exponential gaps, then
 * lengths of prompts, then lengths of answers, each for itself: what belonged together in the trace is torn apart.
 *
 * @param lengths prompts and answers of the trace drawn from, at least one
 */
export function splitwiseTrace(
  lengths: readonly { readonly promptTokens: number; readonly outputTokens: number }[],
  { rate, duration, seed, drawn = 1_000_000 }: SplitwiseTraceOptions,
): SimulatedRequest[] {
  const random = new MersenneTwister(seed);
  const arrivals: number[] = [];
  const scale = 1 / rate;
  for (let index = 0, arrival = 0; index < drawn; index++) {
    arrival += random.exponential() * scale;
    if (arrival < duration) arrivals.push(arrival);
  }
  const places = Array.from({ length: drawn }, () => random.below(lengths.length));
  return arrivals.map((arrival, index) => ({
    index,
    arrival,
    promptTokens: lengths[places[index]].promptTokens,
    outputTokens: lengths[random.below(lengths.length)].outputTokens,
  }));
}

const COLUMNS = ['arrival_timestamp', 'prompt_size', 'token_size'];

/**
 * Requests of a trace as splitwise-sim keeps them: seconds, tokens of prompts and of answers, and other columns that say
 * nothing here.
 *
 * @throws RidgepointError naming the file and the line or the column
 */
export function parseSplitwiseTrace(text: string, name: string): SimulatedRequest[] {
  const { header, rows } = parseCsv(text, name);
  const missing = COLUMNS.filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new RidgepointError(
      'usage',
      `${name}: there is no column ${missing.join(', ')}, as traces of splitwise-sim have`,
    );
  return rows
    .map((row, at) => {
      const [arrival, promptTokens, outputTokens] = numbersOf(row, COLUMNS, name);
      if (
        !(arrival >= 0) ||
        ![promptTokens, outputTokens].every((tokens) => Number.isSafeInteger(tokens) && tokens >= 1)
      )
        throw new RidgepointError(
          'usage',
          `${name}: request ${at + 1} needs a time of 0 or later, and a token or more of each`,
        );
      return { arrival, promptTokens, outputTokens };
    })
    .sort((a, b) => a.arrival - b.arrival)
    .map((request, index) => ({ ...request, index }));
}
