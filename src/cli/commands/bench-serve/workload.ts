import { burstinessOf, type Arrivals } from '../../../traffic/arrivals.js';
import { parseTrace } from '../../../traffic/azure.js';
import { describeLengths } from '../../../traffic/lengths.js';
import { SERVICE_NAMES, syntheticTrace } from '../../../traffic/synthetic.js';
import { makeWorkload, type Workload, type WorkloadOptions } from '../../../traffic/workload.js';
import { words } from '../../../wording.js';
import { readTextFile } from '../../text-file.js';
import { BENCH_SERVE } from './flags.js';
import { mention, refuseServe, type BenchServeFlags } from './options.js';

/** The load that was asked for. */
export interface BenchLoad {
  /** The workload of a seed. */
  readonly make: (seed: number) => Workload;
  /** As the result tells it, defaults filled in. */
  readonly options: Record<string, unknown>;
  /** In a few words. */
  readonly text: string;
  readonly requestRate: number | undefined;
}

/** @throws RidgepointError naming options that do not go together, or what is wrong with the trace */
export async function benchLoadOf(flags: BenchServeFlags): Promise<BenchLoad> {
  const count = flags.numPrompts ?? (flags.stress ? 2000 : 100);
  const abortShare = flags.abortShare ?? (flags.stress ? 0.2 : 0);
  const common = { count, abortShare, sharedPrefix: flags.sharedPrefix ?? 0, lengthScale: flags.lengthScale ?? 1 };
  const told = {
    num_prompts: count,
    seed: flags.seed ?? BENCH_SERVE.load.seed.default,
    abort_share: abortShare,
    shared_prefix: common.sharedPrefix,
    length_scale: common.lengthScale,
    max_concurrency: flags.maxConcurrency ?? null,
  };
  if (flags.trace !== undefined) {
    const scale = flags.traceScale ?? 1;
    const rowsOf = await traceRows(flags, count);
    return {
      make: (seed) => makeWorkload({ ...common, seed, traffic: { kind: 'trace', rows: rowsOf(seed), scale } }),
      options: { ...told, trace: flags.trace, trace_scale: scale },
      text: `${count} requests of ${flags.trace.replace(/.*[/\\]/, '')}, ${scale} times as fast`,
      requestRate: undefined,
    };
  }
  if (flags.traceScale !== undefined) refuseServe('traceScale', words`needs ${mention('trace')}`);
  const arrivals = arrivalsOf(flags);
  const traffic: WorkloadOptions['traffic'] = {
    kind: 'drawn',
    arrivals,
    input: flags.inputLen ?? { kind: 'fixed', tokens: 128 },
    output: flags.outputLen ?? { kind: 'fixed', tokens: 64 },
  };
  const rate = arrivals.kind === 'closed' ? Infinity : arrivals.rate;
  const [input, output] = [describeLengths(traffic.input), describeLengths(traffic.output)];
  const when = rate === Infinity ? 'all there from the beginning' : `${arrivals.kind} arrivals, ${rate} a second`;
  return {
    make: (seed) => makeWorkload({ ...common, seed, traffic }),
    options: {
      ...told,
      arrival: arrivals.kind,
      request_rate: rate === Infinity ? 'inf' : rate,
      ...(arrivals.kind === 'gamma' ? { burstiness: arrivals.burstiness } : {}),
      input_len: input,
      output_len: output,
    },
    text: `${count} requests, ${when}, ${input} tokens in, ${output} out`,
    requestRate: rate,
  };
}

function arrivalsOf(flags: BenchServeFlags): Arrivals {
  const { burstiness, cv, requestRate: rate = Infinity } = flags;
  if (burstiness !== undefined && cv !== undefined) {
    refuseServe('burstiness', words`and ${mention('cv')} say the same; give one of them`);
  }
  const shape = burstiness ?? (cv === undefined ? undefined : burstinessOf(cv));
  const kind = flags.arrival ?? (shape === undefined ? 'poisson' : 'gamma');
  if (shape !== undefined && kind !== 'gamma') {
    refuseServe('burstiness', words`and ${mention('cv')} are of ${mention('arrival', 'gamma')}, not of ${kind}`);
  }
  if (kind === 'closed') {
    if (flags.maxConcurrency === undefined) refuseServe('arrival', words`closed needs ${mention('maxConcurrency')}`);
    return { kind };
  }
  return kind === 'gamma' ? { kind, rate, burstiness: shape ?? 1 } : { kind, rate };
}

/** The rows of a trace: a file's are the same for all seeds. */
async function traceRows(flags: BenchServeFlags, count: number) {
  const name = flags.trace!;
  const given = (['arrival', 'requestRate', 'burstiness', 'cv', 'inputLen', 'outputLen'] as const).find(
    (key) => flags[key] !== undefined,
  );
  if (given !== undefined) {
    refuseServe(given, words`does not go with ${mention('trace')}, which has arrivals and lengths of its own`);
  }
  const service = /^synthetic:(.*)$/.exec(name)?.[1];
  if (service !== undefined) {
    const known = SERVICE_NAMES.find((each) => each === service);
    if (known === undefined) {
      const traces = SERVICE_NAMES.map((each) => `synthetic:${each}`).join(' and ');
      return refuseServe('trace', `${name}: the synthetic traces are ${traces}`);
    }
    return (seed: number) => syntheticTrace(known, count, seed);
  }
  const text = await readTextFile(name, `--trace ${name}`);
  const rows = parseTrace(text, name);
  return () => rows;
}
