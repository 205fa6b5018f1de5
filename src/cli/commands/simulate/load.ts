import { blocksOfHashes, parseMooncake } from '../../../simulator/mooncake.js';
import { parseSplitwiseTrace } from '../../../simulator/splitwise/trace.js';
import { resampled } from '../../../simulator/load.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import { RidgepointError } from '../../../errors.js';
import { parseTrace } from '../../../traffic/azure.js';
import { Draws } from '../../../traffic/draws.js';
import { drawLength } from '../../../traffic/lengths.js';
import { syntheticTrace } from '../../../traffic/synthetic.js';
import { readTextFile } from '../../text-file.js';
import { option, words } from '../../../wording.js';
import { SIMULATE } from './flags.js';
import { refuseSimulate, type SimulateFlags } from './options.js';
import { readServeResult, requestsOfRun } from './serve-result.js';
import { TRACE_WANTED, traceParts } from './trace-name.js';

/** Rows that synthetic lengths are drawn from. */
const SYNTHETIC_ROWS = 20_000;
const { duration: DURATION, seed: SEED } = SIMULATE.load;

/** The requests of each seed. */
export type LoadOf = (seed: number) => readonly SimulatedRequest[];

/** @throws RidgepointError naming options that do not go together, or what is wrong with the trace */
export async function simulatedLoadOf(flags: SimulateFlags, blockTokens: number): Promise<LoadOf> {
  const { trace, rate, duration = DURATION.default, resample = 'together' } = flags;
  const independent = resample === 'independent';
  if (trace === undefined) {
    if (rate === undefined)
      throw new RidgepointError(
        'usage',
        words`say what load comes: ${option('simulate.trace')}, or ${option('simulate.rate')} with ${option('simulate.inputLen')} and ${option('simulate.outputLen')}`,
      );
    const { inputLen = { kind: 'fixed', tokens: 512 }, outputLen = { kind: 'fixed', tokens: 128 } } = flags;
    return (seed) => {
      const [inputs, outputs] = [new Draws(seed, 'input lengths'), new Draws(seed, 'output lengths')];
      const lengths = Array.from({ length: Math.ceil(4 * rate * duration) + 100 }, () => ({
        promptTokens: drawLength(inputLen, inputs),
        outputTokens: drawLength(outputLen, outputs),
      }));
      return resampled(lengths, { rate, seconds: duration, seed });
    };
  }
  for (const name of ['inputLen', 'outputLen'] as const) {
    if (flags[name] !== undefined)
      refuseSimulate(
        `simulate.${name}`,
        words`does not go with ${option('simulate.trace')}, which has lengths of its own`,
      );
  }
  const rows = await rowsOf(trace, flags, blockTokens);
  if (rate !== undefined) return (seed) => resampled(rows, { rate, seconds: duration, seed, independent });
  const count = flags.numPrompts ?? rows.length;
  if (count > rows.length)
    refuseSimulate('simulate.numPrompts', `${count}: ${trace} has ${rows.length} requests; ask for fewer`);
  const until = flags.duration ?? Infinity;
  const chosen = rows.slice(0, count).filter(({ arrival }) => arrival < until);
  return () => chosen;
}

async function rowsOf(
  trace: string,
  { seed = SEED.default }: SimulateFlags,
  blockTokens: number,
): Promise<SimulatedRequest[]> {
  const parts = traceParts(trace);
  const inSeconds = (rows: ReturnType<typeof parseTrace>): SimulatedRequest[] =>
    rows.map(({ atMs, promptTokens, outputTokens }, index) => ({
      index,
      arrival: atMs / 1000,
      promptTokens,
      outputTokens,
    }));
  switch (parts?.kind) {
    case 'azure':
      return inSeconds(parseTrace(await readTextFile(parts.file, `--trace ${trace}`), parts.file));
    case 'splitwise':
      return parseSplitwiseTrace(await readTextFile(parts.file, `--trace ${trace}`), parts.file);
    case 'mooncake':
      return parseMooncake(await readTextFile(parts.file, `--trace ${trace}`), parts.file).map((row, index) => ({
        index,
        arrival: row.timestampMs / 1000,
        promptTokens: row.inputLength,
        outputTokens: row.outputLength,
        blockNames: blocksOfHashes(row, blockTokens),
      }));
    case 'serve':
      return requestsOfRun((await readServeResult(parts.file)).runs[0]);
    case 'synthetic':
      return inSeconds(syntheticTrace(parts.service, SYNTHETIC_ROWS, seed));
    case undefined:
      return refuseSimulate('simulate.trace', `must be ${TRACE_WANTED}, found ${JSON.stringify(trace)}`);
  }
}
