import type { EngineOptions } from '../../src/engine/api.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import type { EngineHost } from '../../src/engine/host.js';
import { startEngine } from '../../src/engine/start.js';
import type { Measured } from '../measure/end-to-end.js';
import type { PaceLog } from '../pace/log.js';
import type { BenchPoint } from '../plan.js';
import { countedTurns, measuredRecord, runRounds, type Measuring } from '../rounds.js';
import { measureOn } from '../runner.js';
import type { BenchRecord } from '../schema.js';

/**
 * One layer of the shape of TinyLlama-1.1B, made of synthetic weights: matrices too large for a cache, and wide enough
 * that prices for larger models are no far cry. With the embedded model's much smaller ones it spans the sizes between
 * which the fit interpolates.
 */
const WIDE_MODEL = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: 2048,
  intermediate_size: 5632,
  num_hidden_layers: 1,
  num_attention_heads: 32,
  num_key_value_heads: 4,
  vocab_size: 8192,
  max_position_embeddings: 1024,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: false,
};

/** The host with that layer for its model. */
export const wideHost = (host: EngineHost): EngineHost => ({
  ...host,
  openModel: () =>
    Promise.resolve({ name: 'calibration', folder: undefined, config: WIDE_MODEL, configName: 'calibration' }),
});

/** Rounds of measurements, after those that warm up. */
const [WARMUP, REPETITIONS] = [1, 7];
/** Seconds for all rounds, of which there are fewer where they take longer. */
const BUDGET = 100;
/**
 * Seconds of a run: slow adapters leave the largest prompts and batches out, so that there is time for rounds. Requests
 * that decode may take longer, for they are many steps, and what they tell no other point does.
 */
const longest = ({ kind }: BenchPoint): number => (kind === 'tpot' ? 3 : 1.6);

type Shape = Pick<Extract<BenchPoint, { kind: 'operations' }>, 'phase' | 'tokens' | 'batch' | 'context'>;
const prefill = (tokens: number): Shape => ({ phase: 'prefill', tokens, batch: 1, context: 0 });
const decode = (batch: number, context: number): Shape => ({ phase: 'decode', tokens: 1, batch, context });

/** Measurements on one model. */
interface Sweep {
  /** Steps whose operations are timed. */
  readonly steps: readonly Shape[];
  /** Prompts of requests for one token. */
  readonly prompts: readonly number[];
  /** Requests that decode together: how many, after how long a prompt. */
  readonly requests: readonly (readonly [batch: number, context: number])[];
  readonly gen: number;
  /** Contexts of bare steps. */
  readonly depths: readonly number[];
  /** Bare prefills. */
  readonly bare: readonly number[];
}

const NARROW: Sweep = {
  steps: [
    ...[decode(1, 15), decode(1, 250), decode(1, 480), decode(2, 60), decode(4, 100), decode(8, 30), decode(8, 150)],
    ...[8, 24, 64, 350].map(prefill),
  ],
  prompts: [8, 64, 200],
  requests: [
    [1, 1],
    [1, 100],
    [2, 1],
    [4, 1],
    [8, 1],
    [8, 40],
  ],
  gen: 16,
  depths: [0, 100],
  bare: [16, 64],
};
const WIDE: Sweep = {
  steps: [...[decode(1, 15), decode(1, 500), decode(4, 100), decode(8, 60)], ...[8, 32, 128, 256, 512].map(prefill)],
  prompts: [8, 32, 128, 512],
  requests: [
    [1, 1],
    [2, 1],
    [8, 1],
  ],
  gen: 6,
  depths: [0],
  bare: [8, 256],
};

function pointsOf(engine: string, { steps, prompts, requests, gen, depths, bare }: Sweep): BenchPoint[] {
  const id = (name: string): { engine: string; id: string } => ({ engine, id: `${engine}: ${name}` });
  return [
    ...steps.map((shape): BenchPoint => {
      const { phase, tokens, batch, context } = shape;
      const name =
        phase === 'prefill' ? `operations of a prefill of ${tokens}` : `operations of ${batch} after ${context}`;
      return { ...id(name), kind: 'operations', ...shape };
    }),
    ...prompts.map((prompt): BenchPoint => ({ ...id(`first token after ${prompt}`), kind: 'ttft', prompt })),
    ...requests.map(([batch, context]): BenchPoint => ({
      ...id(`decoding of ${batch} after ${context}`),
      ...{ kind: 'tpot', batch, context, gen },
    })),
    ...depths.map((depth): BenchPoint => ({
      ...id(`single steps after ${depth}`),
      ...{ kind: 'llama-bench', prompt: 0, gen, depth },
    })),
    ...bare.map((prompt): BenchPoint => ({
      ...id(`single prefill of ${prompt}`),
      ...{ kind: 'llama-bench', prompt, gen: 0, depth: 0 },
    })),
  ];
}

/** What was measured on one model. */
export interface EngineRuns {
  readonly engine: Pick<CoreEngine, 'config' | 'info'>;
  readonly records: readonly Measured<BenchRecord>[];
  /** When each repetition of each record came, counted over all engines. */
  readonly turns: readonly (readonly number[])[];
}

interface MeasureOptions {
  readonly onProgress?: (what: string) => void;
  /** Learns around the runs how fast the host is. */
  readonly pace?: PaceLog;
  /** Whether operations can be timed by themselves; else whole steps and requests are. */
  readonly stamped?: boolean;
}

/**
 * Measures steps and requests on two models, in rounds over all of them.
 *
 * @throws RidgepointError when the models do not fit the adapter
 */
export async function measureEngine(
  host: EngineHost,
  adapter: string,
  { onProgress, pace, stamped = true }: MeasureOptions = {},
): Promise<EngineRuns[]> {
  const wide = wideHost(host);
  const engines: CoreEngine[] = [];
  const start = async (from: EngineHost, options: EngineOptions): Promise<CoreEngine> => {
    // Prompts come again and again, and are to be computed each time.
    const sizes = { maxSequences: 8, kvCacheTokens: 2048, prefixCaching: false };
    const engine = await startEngine({ ...options, adapter, ...sizes }, from);
    engines.push(engine);
    await engine.ready;
    return engine;
  };
  try {
    const narrow = await start(host, {});
    const synthetic = await start(wide, { weights: 'synthetic' });
    const runs = [
      { engine: narrow, states: statesOf(narrow, stamped ? NARROW : { ...NARROW, steps: [] }) },
      { engine: synthetic, states: statesOf(synthetic, stamped ? WIDE : { ...WIDE, steps: [] }) },
    ];
    await runRounds(
      runs.flatMap(({ states }) => states),
      { warmup: WARMUP, repetitions: REPETITIONS, budget: BUDGET, longest },
      {
        onProgress: ({ id, done, total }) => onProgress?.(`${id} (${Math.floor((100 * done) / total)} %)`),
        pace,
      },
    );
    return runs.map(({ engine: { config, info }, states }) => {
      const measured = states.filter(({ runs }) => runs.length > 0);
      return {
        engine: { config, info },
        records: measured.map((state) => measuredRecord(state, WARMUP)),
        turns: measured.map((state) => countedTurns(state, WARMUP)),
      };
    });
  } finally {
    for (const engine of engines) await engine.dispose();
  }
}

/** Longer than any prompt here, so that a prompt is a step. */
const CHUNK = 512;

function statesOf(engine: CoreEngine, sweep: Sweep): Measuring[] {
  const measure = measureOn(engine, 'text', CHUNK);
  return pointsOf(engine.info.model, sweep).map((point) => ({
    point,
    trial: measure(point),
    runs: [],
    paces: [],
    turns: [],
    date: '',
    skipped: undefined,
  }));
}
