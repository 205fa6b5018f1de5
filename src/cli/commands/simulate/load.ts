import { blocksOfHashes, parseMooncake } from '../../../simulator/mooncake.js';
import { resampled } from '../../../simulator/load.js';
import type { SimulatedRequest } from '../../../simulator/request.js';
import { RidgepointError } from '../../../errors.js';
import { parseTrace } from '../../../traffic/azure.js';
import { Draws } from '../../../traffic/draws.js';
import { drawLength } from '../../../traffic/lengths.js';
import { SERVICE_NAMES, syntheticTrace } from '../../../traffic/synthetic.js';
import { readTextFile } from '../../text-file.js';
import type { SimulateFlags } from './options.js';
import { readServeResult, requestsOfRun } from './serve-result.js';

/** Rows that synthetic lengths are drawn from. */
const SYNTHETIC_ROWS = 20_000;
const DURATION = 120;

/** The requests of each seed. */
export type LoadOf = (seed: number) => readonly SimulatedRequest[];

/** @throws RidgepointError naming options that do not go together, or what is wrong with the trace */
export async function simulatedLoadOf(flags: SimulateFlags, blockTokens: number): Promise<LoadOf> {
  const { trace, rate, duration = DURATION, resample = 'together' } = flags;
  const independent = resample === 'independent';
  if (trace === undefined) {
    if (rate === undefined)
      throw new RidgepointError('usage', 'say what load comes: --trace, or --rate with --input-len and --output-len');
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
  for (const [name, value] of [
    ['--input-len', flags.inputLen],
    ['--output-len', flags.outputLen],
  ] as const) {
    if (value !== undefined)
      throw new RidgepointError('usage', `${name} does not go with --trace, which has lengths of its own`);
  }
  const rows = await rowsOf(trace, flags, blockTokens);
  if (rate !== undefined) return (seed) => resampled(rows, { rate, seconds: duration, seed, independent });
  const count = flags.numPrompts ?? rows.length;
  if (count > rows.length)
    throw new RidgepointError('usage', `--num-prompts ${count}: ${trace} has ${rows.length} requests; ask for fewer`);
  const until = flags.duration ?? Infinity;
  const chosen = rows.slice(0, count).filter(({ arrival }) => arrival < until);
  return () => chosen;
}

async function rowsOf(trace: string, { seed = 0 }: SimulateFlags, blockTokens: number): Promise<SimulatedRequest[]> {
  const [, kind, rest] = /^(azure|mooncake|synthetic|serve):(.+)$/.exec(trace) ?? [];
  const inSeconds = (rows: ReturnType<typeof parseTrace>): SimulatedRequest[] =>
    rows.map(({ atMs, promptTokens, outputTokens }, index) => ({
      index,
      arrival: atMs / 1000,
      promptTokens,
      outputTokens,
    }));
  switch (kind) {
    case 'azure':
      return inSeconds(parseTrace(await readTextFile(rest, `--trace ${trace}`), rest));
    case 'mooncake':
      return parseMooncake(await readTextFile(rest, `--trace ${trace}`), rest).map((row, index) => ({
        index,
        arrival: row.timestampMs / 1000,
        promptTokens: row.inputLength,
        outputTokens: row.outputLength,
        blockNames: blocksOfHashes(row, blockTokens),
      }));
    case 'serve':
      return requestsOfRun((await readServeResult(rest)).runs[0]);
    case 'synthetic': {
      const service = SERVICE_NAMES.find((name) => name === rest);
      if (service !== undefined) return inSeconds(syntheticTrace(service, SYNTHETIC_ROWS, seed));
    }
  }
  throw new RidgepointError(
    'usage',
    `--trace must be azure:FILE, mooncake:FILE, serve:FILE, ${SERVICE_NAMES.map((name) => `synthetic:${name}`).join(' or ')}, found ${JSON.stringify(trace)}`,
  );
}
