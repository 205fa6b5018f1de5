import { RidgepointError } from '../errors.js';
import { option, words } from '../wording.js';
import { arrivalTimes, type Arrivals } from './arrivals.js';
import type { TraceRow } from './azure.js';
import { Draws } from './draws.js';
import { drawLength, type Lengths } from './lengths.js';

/** When a client gives up on a request. */
export type Abort = { readonly afterTokens: number } | { readonly afterMs: number };

/** One request to be made. */
export interface PlannedRequest {
  readonly index: number;
  /** Milliseconds since the beginning. */
  readonly atMs: number;
  /** The shared prefix included. */
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly abort?: Abort;
}

/** Requests in the order they arrive, the same for everything that is compared. */
export interface Workload {
  readonly seed: number;
  readonly requests: readonly PlannedRequest[];
  /** First tokens that all prompts have in common, as a system prompt is. */
  readonly sharedPrefix: number;
}

export interface WorkloadOptions {
  readonly count: number;
  readonly seed: number;
  /** Requests with lengths of their own, or rules to draw them by. */
  readonly traffic:
    | { readonly kind: 'drawn'; readonly arrivals: Arrivals; readonly input: Lengths; readonly output: Lengths }
    | { readonly kind: 'trace'; readonly rows: readonly TraceRow[]; readonly scale: number };
  /** Factor on the lengths of a trace, for models of a shorter context. */
  readonly lengthScale: number;
  readonly sharedPrefix: number;
  /** Share of requests that clients abort, in [0, 1]. */
  readonly abortShare: number;
}

/** The longest a client that gives up before the first token waits, in milliseconds. */
const MOST_PATIENCE = 1000;

/** Requests in full length; see `clip`. @throws RidgepointError when the trace is too short */
export function makeWorkload(options: WorkloadOptions): Workload {
  const { count, seed, traffic, sharedPrefix, lengthScale } = options;
  const rows = traffic.kind === 'trace' ? scaled(traffic.rows, count, traffic.scale) : drawn(traffic, count, seed);
  const aborts = new Draws(seed, 'aborts');
  const requests = rows.map(({ atMs, promptTokens, outputTokens }, index): PlannedRequest => {
    const scale = (tokens: number): number => Math.max(1, Math.round(tokens * lengthScale));
    const output = scale(outputTokens);
    const abort = drawAbort(aborts, options.abortShare, output);
    const planned = { index, atMs, promptTokens: sharedPrefix + scale(promptTokens), outputTokens: output };
    return abort === undefined ? planned : { ...planned, abort };
  });
  return { seed, requests, sharedPrefix };
}

function drawn(
  { arrivals, input, output }: Extract<WorkloadOptions['traffic'], { kind: 'drawn' }>,
  count: number,
  seed: number,
): TraceRow[] {
  const [inputs, outputs] = [new Draws(seed, 'input lengths'), new Draws(seed, 'output lengths')];
  return arrivalTimes(arrivals, count, new Draws(seed, 'arrivals')).map((atMs) => ({
    atMs,
    promptTokens: drawLength(input, inputs),
    outputTokens: drawLength(output, outputs),
  }));
}

/** The first requests of a trace, `scale` times as fast. */
function scaled(rows: readonly TraceRow[], count: number, scale: number): TraceRow[] {
  if (count > rows.length) {
    throw new RidgepointError(
      'usage',
      words`${option('benchServe.numPrompts', count)}: the trace has ${rows.length} requests; ask for fewer`,
      { option: 'benchServe.numPrompts' },
    );
  }
  return rows.slice(0, count).map((row) => ({ ...row, atMs: row.atMs / scale }));
}

/** Half of those who give up do so while tokens come, half after some time, mostly before the first one. */
function drawAbort(draws: Draws, share: number, output: number): Abort | undefined {
  // As many numbers for every request, so that the share does not change who gives up when.
  const [chosen, kind, when] = [draws.uniform(), draws.uniform(), draws.uniform()];
  if (chosen >= share) return undefined;
  if (kind < 0.5 && output > 1) return { afterTokens: 1 + Math.floor(when * (output - 1)) };
  return { afterMs: when * MOST_PATIENCE };
}

/**
 * Shortens what does not fit a context: an answer to half of it at most, a prompt to the rest.
 *
 * @returns the workload, and a note on what was shortened
 */
export function clip(workload: Workload, contextLength: number): { workload: Workload; note: string | undefined } {
  if (workload.sharedPrefix >= contextLength / 2) {
    throw new RidgepointError(
      'usage',
      words`${option('benchServe.sharedPrefix', workload.sharedPrefix)} takes more than half of the context of ${contextLength}; shorten it`,
      { option: 'benchServe.sharedPrefix' },
    );
  }
  let clipped = 0;
  let longest = 0;
  const requests = workload.requests.map((request) => {
    const { promptTokens, outputTokens } = request;
    if (promptTokens + outputTokens <= contextLength) return request;
    clipped++;
    longest = Math.max(longest, promptTokens + outputTokens);
    const output = Math.max(1, Math.min(outputTokens, Math.floor(contextLength / 2)));
    return { ...request, outputTokens: output, promptTokens: Math.min(promptTokens, contextLength - output) };
  });
  if (clipped === 0) return { workload, note: undefined };
  const note =
    `${clipped} of ${requests.length} requests were shortened to the context of ${contextLength} tokens ` +
    `(the longest had ${longest}); --length-scale shortens all alike`;
  return { workload: { ...workload, requests }, note };
}

/** The same rules with other chances, as another round has them. */
export const roundSeed = (seed: number, round: number): number => seed + round;
