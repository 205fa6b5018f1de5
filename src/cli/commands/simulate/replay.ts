import { DEFAULT_POLICY, POLICIES, POLICY_NAMES } from '../../../scheduler/policies/index.js';
import type { PolicyName } from '../../../engine/api.js';
import { STEPS_UNDER_WAY } from '../../../scheduler/step-plan.js';
import { BLOCK_TOKENS } from '../../../kernels/attention/shape.js';
import { isCpuAdapter } from '../../../platform/node/adapter-choice.js';
import { RidgepointError } from '../../../errors.js';
import { KV_DTYPES, weightDtype } from '../../../roofline/hardware/precision.js';
import { SERVING_KINDS, type Serving } from '../../../roofline/hardware/families.js';
import type { Hardware } from '../../../roofline/hardware/hardware.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import type { Pool } from '../../../simulator/cluster.js';
import { PredictedPrice } from '../../../simulator/price/predicted.js';
import { recordOf } from '../../../simulator/summary.js';
import { metricsOf, type MeasureName, type ServeMetrics } from '../../../traffic/metrics.js';
import type { LoadRecord } from '../../../traffic/record.js';
import { fitServing, withoutHost } from '../../../../bench/calibrate/serving-fit.js';
import type { ServeResult } from '../../../../bench/serve/schema.js';
import { findHardware, findModel } from '../predict/subjects.js';
import { csvTable, records, textTable, type Column } from '../../terminal/table.js';
import { print } from '../../terminal/output.js';
import { remark } from '../../terminal/style.js';
import { EXIT } from '../../run.js';
import type { FlagsIn } from '../../options/command-table.js';
import type { SIMULATE } from './flags.js';
import { refuseSimulate, type OutputFlags } from './options.js';
import { simulatePatiently } from './patient.js';
import { writeSimulationReport } from './report/write.js';
import { readServeResult } from './serve-result.js';
import type { DrawnRun } from './trace-window.js';
import { writeWindow } from './write-window.js';

/** One figure of a policy, measured and simulated. */
interface ReplayRow {
  readonly policy: string;
  /** The price of steps was fitted to those of this policy, so it is no test. */
  readonly fitted: boolean;
  readonly figure: string;
  readonly measured: number;
  readonly simulated: number;
}

const PERCENTILES = [50, 90, 99];
const SHOWN: readonly (readonly [MeasureName, string])[] = [
  ['ttft', 'TTFT'],
  ['itl', 'ITL'],
  ['e2el', 'E2E'],
];

/** What steps cost when nothing is fitted: what the calibration says. */
const NOTHING = 'none';

/** `fit` is the policy whose recorded steps the price is fitted to, or `none`; by default the first that has some. */
export type ReplayFlags = FlagsIn<typeof SIMULATE.replay> & FlagsIn<typeof SIMULATE.window>;

/** `ridgepoint simulate replay`: a recorded run of `bench serve` again, on the predicted clock. */
export async function replayCommand(path: string, flags: OutputFlags & ReplayFlags): Promise<number> {
  const result = await readServeResult(path);
  const drawn: DrawnRun[] = [];
  const { traceWindow: window } = flags;
  const rows = await replayRows(result, path, flags, window && ((run) => drawn.push(run)));
  if (window !== undefined) await writeWindow(drawn, window);
  const columns: Column<ReplayRow>[] = [
    {
      head: 'policy',
      key: 'policy',
      value: ({ policy }) => policy,
      text: ({ policy, fitted }) => (fitted ? `${policy} (fitted)` : policy),
    },
    { head: '', key: 'fitted', value: ({ fitted }) => fitted },
    { head: 'figure', key: 'figure', value: ({ figure }) => figure, text: ({ figure }) => figure },
    {
      head: 'measured',
      key: 'measured',
      value: ({ measured }) => measured,
      text: ({ measured }) => measured.toPrecision(4),
    },
    {
      head: 'simulated',
      key: 'simulated',
      value: ({ simulated }) => simulated,
      text: ({ simulated }) => simulated.toPrecision(4),
    },
    {
      head: 'error',
      key: 'error',
      value: errorOf,
      text: (row) => `${errorOf(row) >= 0 ? '+' : ''}${(100 * errorOf(row)).toFixed(1)} %`,
    },
  ];
  if (flags.json) print(`${JSON.stringify({ rows: records(rows, columns) }, null, 2)}\n`);
  else print(flags.csv ? csvTable(rows, columns) : textTable(rows, columns));
  if (flags.report !== undefined) {
    await writeSimulationReport(flags.report, {
      title: `${path}, measured and simulated`,
      figures: [],
      tables: [{ title: 'By policy', rows, columns }],
    });
  }
  if (!(flags.quiet ?? false)) {
    const fitted = rows.find((row) => row.fitted)?.policy;
    if (fitted !== undefined) remark(`steps cost what those recorded under ${fitted} took; the others test it`);
    else if (flags.fit !== NOTHING) remark(`${path} holds no step times; steps cost what the calibration says`);
  }
  return EXIT.ok;
}

const nameOf = (policy: PolicyName | null): string => policy ?? 'its own';

const errorOf = ({ measured, simulated }: ReplayRow): number => simulated / measured - 1;

/**
 * Every policy's figures over all its rounds.
 *
 * @param draw gets each policy's first round, with its steps
 */
export async function replayRows(
  result: ServeResult,
  path: string,
  flags: ReplayFlags,
  draw?: (run: DrawnRun) => void,
): Promise<ReplayRow[]> {
  const fitOn = fittedPolicy(result, path, flags.fit);
  const pool = await engineOf(result, path, flags, fitOn);
  const rows: ReplayRow[] = [];
  for (const policy of [...new Set(result.runs.map((run) => run.policy))]) {
    const own = result.runs.filter((run) => run.policy === policy);
    const simulated: LoadRecord[] = [];
    for (const [round, run] of own.entries()) {
      const requests = run.requests.map(
        ({ index, sent_ms: sent, input_len: promptTokens, output_len: outputTokens }) => ({
          index,
          arrival: sent / 1000,
          promptTokens,
          outputTokens: Math.max(1, outputTokens),
        }),
      );
      const chunk = run.prefill_chunk;
      const machine = {
        ...pool,
        policy: POLICIES[policy ?? DEFAULT_POLICY],
        blocks: run.cache?.kv_blocks ?? pool.blocks,
        ...(chunk !== undefined && { chunk, stepTokens: chunk + pool.maxSequences }),
      };
      const keepSteps = round === 0 && draw !== undefined;
      const simulation = await simulatePatiently(
        { pools: [machine], router: { prefill: 'round-robin', decode: 'round-robin' } },
        requests,
        { keepSteps },
      );
      if (keepSteps) draw({ simulation, name: nameOf(policy) });
      simulated.push(recordOf(simulation));
    }
    const options = { percentiles: PERCENTILES };
    const [was, is] = [metricsOf(own.map(measuredRecord), options), metricsOf(simulated, options)];
    rows.push(...figures(policy, was, is).map((row) => ({ ...row, fitted: fitOn === policy })));
  }
  return rows;
}

function figures(policy: PolicyName | null, was: ServeMetrics, is: ServeMetrics): Omit<ReplayRow, 'fitted'>[] {
  const name = nameOf(policy);
  const latencies = SHOWN.flatMap(([key, text]) =>
    PERCENTILES.flatMap((percent, at): Omit<ReplayRow, 'fitted'>[] => {
      const [measured, simulated] = [was, is].map(({ measures }) => measures[key]?.percentiles[at][1]);
      if (measured === undefined || simulated === undefined) return [];
      return [{ policy: name, figure: `${text} p${percent} ms`, measured, simulated }];
    }),
  );
  return [
    ...latencies,
    { policy: name, figure: 'output tok/s', measured: was.outputTokensPerS, simulated: is.outputTokensPerS },
  ];
}

/**
 * The policy whose steps the price is fitted to: the one asked for, else the first that has recorded some.
 *
 * @returns undefined where there is none
 * @throws RidgepointError when it was asked for and has no steps
 */
function fittedPolicy({ runs }: ServeResult, path: string, wanted?: string): PolicyName | null | undefined {
  if (wanted === NOTHING) return undefined;
  const recorded = runs.filter(({ steps }) => steps !== undefined).map(({ policy }) => policy);
  if (wanted === undefined) return recorded[0];
  const found = recorded.find((policy) => nameOf(policy) === wanted);
  if (found !== undefined) return found;
  const known = [...new Set(recorded.map(nameOf))].join(', ');
  return refuseSimulate(
    'simulate.fit',
    `${wanted}: ${path} has ${known === '' ? 'no step times' : `step times of ${known}`}; say one of them, or none`,
  );
}

/** A run of a file as it was recorded. */
function measuredRecord({ requests, figures: { duration } }: ServeResult['runs'][number]): LoadRecord {
  return {
    planned: requests.length,
    durationMs: 1000 * duration,
    interrupted: false,
    requests: requests.map((request) => ({
      index: request.index,
      scheduledMs: request.scheduled_ms,
      sentMs: request.sent_ms,
      status: request.status,
      promptTokens: request.input_len,
      outputTokens: request.output_len,
      arrivalsMs: request.arrivals_ms,
      counts: request.counts ?? request.arrivals_ms.map(() => 1),
      endMs: request.end_ms,
    })),
  };
}

/** What steps cost by those that were recorded. @throws RidgepointError where there are too few to say */
function fitted(
  steps: NonNullable<ServeResult['runs'][number]['steps']>[],
  predictor: Predictor,
  path: string,
  policy: PolicyName | null,
): Serving {
  const { serving } = fitServing([{ predictor, steps }]);
  const lacking = SERVING_KINDS.filter((kind) => serving[kind] === undefined);
  if (lacking.length === 0) return serving;
  const kinds = lacking.map((kind) => (kind === 'decode' ? 'without prompts' : 'with prompts')).join(' and ');
  return refuseSimulate(
    'simulate.fit',
    `${nameOf(policy)}: ${path} has too few steps ${kinds} to say what they cost; record more requests, say another policy, or none to price steps by the calibration`,
  );
}

/** The engine a result was measured on, as a pool of one machine. @throws RidgepointError when the file does not say */
async function engineOf(
  { context, options, runs }: ServeResult,
  path: string,
  flags: ReplayFlags,
  fitOn: PolicyName | null | undefined,
): Promise<Pool> {
  if (context === null)
    throw new RidgepointError(
      'usage',
      `${path}: was measured on a server, of which nothing is known; replay takes results of "ridgepoint bench serve" without --base-url`,
    );
  const count = (name: string): number => {
    const value = options[name];
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw new RidgepointError(
      'usage',
      `${path}: does not say ${name}; it was measured by an older version, measure again`,
    );
  };
  const [hardware] = await findHardware({
    hardware: ['this-machine'],
    calibration: flags.calibration,
    adapter: flags.adapter ?? context.adapter,
  });
  const weights = weightDtype(context.dtype);
  if (weights === undefined) throw new RidgepointError('usage', `${path}: weights of ${context.dtype} have no price`);
  const kv = KV_DTYPES.find((each) => each === context.kv_dtype);
  if (kv === undefined) throw new RidgepointError('usage', `${path}: a cache of ${context.kv_dtype} has no price`);
  const head = weightDtype(context.head_dtype ?? context.dtype);
  const model = await findModel(context.model);
  const predictorOn = (machine: Hardware): Predictor => new Predictor(model, machine, { weights, head, kv });
  const steps = fitOn === undefined ? [] : runs.flatMap((run) => (run.policy === fitOn ? (run.steps ?? []) : []));
  const serving =
    steps.length === 0 ? hardware.host?.serving : fitted(steps, predictorOn(withoutHost(hardware)), path, fitOn!);
  const predictor = predictorOn({ ...hardware, host: { ...hardware.host!, serving } });
  const sequences = count('max_num_seqs');
  // Where each run says its own, this one is not looked at.
  const chunk = runs.every((run) => run.prefill_chunk !== undefined) ? runs[0].prefill_chunk! : count('prefill_chunk');
  const slo = options.decode_slo_ms;
  return {
    name: context.adapter,
    role: 'both',
    count: 1,
    price: new PredictedPrice(predictor),
    policy: POLICIES[POLICY_NAMES[0]],
    ...(typeof slo === 'number' ? { decodeSloMs: slo } : {}),
    blocks: Math.ceil(count('kv_cache_tokens') / BLOCK_TOKENS),
    blockTokens: BLOCK_TOKENS,
    maxSequences: sequences,
    stepTokens: chunk + sequences,
    chunk,
    depth: isCpuAdapter(context.adapter) ? STEPS_UNDER_WAY.cpu : STEPS_UNDER_WAY.gpu,
  };
}
