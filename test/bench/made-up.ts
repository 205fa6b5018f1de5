import type { BenchPoint } from '../../bench/plan.js';
import type { RoundMeasure } from '../../bench/rounds.js';
import { SCHEMA_VERSION, type BenchOptions, type BenchResult } from '../../bench/schema.js';
import { measureOn } from '../../bench/runner.js';
import type { BenchTarget } from '../../bench/measure/target.js';
import type { GenerateOptions, Prompt } from '../../src/engine/api.js';
import type { ProbedStep } from '../../src/engine/probe.js';
import type { BatchShape } from '../../src/model/operations.js';
import { operationShapes } from '../../src/model/operations.js';
import { parameterCount } from '../../src/model/cost.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { Hardware } from '../../src/roofline/hardware/hardware.js';

/** A model of two layers. */
export const CONFIG: ModelConfig = {
  family: 'llama',
  layers: 2,
  hidden: 64,
  intermediate: 128,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  vocab: 100,
  maxPositions: 256,
  ropeTheta: 10_000,
  ropeScaling: { type: 'none' },
  rmsNormEps: 1e-5,
  tiedEmbeddings: false,
  bosTokenId: undefined,
  eosTokenIds: [],
};

export const OPTIONS: BenchOptions = {
  prompts: [8, 32],
  contexts: [0, 16],
  batches: [1, 2],
  gen: 4,
  repetitions: 2,
  warmup: 1,
  grid: 'full',
  parts: ['end-to-end', 'llama-bench', 'operations'],
  prompt: 'ids',
};

/** A result in which nothing has been measured yet. */
export const begun = (changes: Partial<BenchResult> = {}): BenchResult => ({
  version: SCHEMA_VERSION,
  complete: false,
  date: '2026-01-02T03:04:05.000Z',
  options: OPTIONS,
  context: {
    adapter: 'Made-up GPU',
    driver: 'made up 1.0',
    tier: 'f16+subgroups',
    model: 'tiny <test>',
    dtype: 'f16',
    kv_dtype: 'f16',
    ridgepoint: '0.0.0',
    node: '20.0.0',
    dawn: 'webgpu 0.0.0',
    git_commit: null,
    calibration: null,
  },
  host: { os: 'Linux', cpu: 'some CPU', threads: 2, memory_bytes: 2 ** 30 },
  model: {
    name: 'tiny <test>',
    config: {
      ...{ layers: 2, hidden: 64, intermediate: 128, heads: 4, kvHeads: 2, headDim: 16, vocab: 100 },
      ...{ maxPositions: 256, tiedEmbeddings: false },
    },
    weights: 'synthetic',
    parameters: parameterCount(CONFIG),
    weight_bytes: 2 * parameterCount(CONFIG),
    kv_cache_bytes: 65536,
    context_length: 256,
    prefill_chunk: 512,
  },
  load_ms: { total: 12 },
  records: [],
  skipped: [],
  ...changes,
});

/** Hardware that is nobody's. */
export const HARDWARE: Hardware = {
  id: 'made-up',
  name: 'Made-up GPU',
  kind: 'datacentre',
  dense: { f16: 1e12 },
  shader: { f32: 1e11, f16: 2e11 },
  bandwidth: 1e10,
  capacityBytes: 1e9,
  capacityUnit: 'GB',
  source: 'this test',
};

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An engine of constant pace: a step takes a millisecond, each of its operations 1000 ns. */
export class FakeEngine implements BenchTarget {
  readonly config = CONFIG;
  readonly info = {} as BenchTarget['info'];
  readonly hasTokenizer = false;
  /** Every prompt that was asked for. */
  readonly prompts: Prompt[] = [];
  /** Every step that was probed. */
  readonly steps: (BatchShape & { sample?: boolean; profile?: boolean })[] = [];

  readonly #timestamps: boolean;

  constructor(timestamps = true) {
    this.#timestamps = timestamps;
  }

  tokenize = (): number[] => [];
  detokenize = (): string => '';

  generate(prompt: Prompt, { maxTokens = 1 }: GenerateOptions = {}): ReturnType<BenchTarget['generate']> {
    this.prompts.push(prompt);
    async function* chunks() {
      for (let token = 0; token < maxTokens; token++) {
        await sleep(1);
        yield { text: '', ids: [token] };
      }
    }
    return { [Symbol.asyncIterator]: chunks, result: Promise.resolve({ finishReason: 'length' }) } as never;
  }

  probe(): ReturnType<BenchTarget['probe']> {
    const run = (batch: BatchShape, options: { profile?: boolean; sample?: boolean } = {}): Promise<ProbedStep> => {
      this.steps.push({ ...batch, ...options });
      if (options.profile && !this.#timestamps) throw new Error('Made-up GPU has no timestamp queries');
      const operations = operationShapes(CONFIG).map(({ name }, at) => ({
        name,
        beginNs: 2000 * at,
        endNs: 2000 * at + 1000,
      }));
      const times = { wallMs: 1, recordMs: 0.25, submitMs: 0.125, startedAt: performance.now() };
      return Promise.resolve({ batch, ...times, operations: options.profile ? operations : undefined });
    };
    return {
      prefill: (tokens, context = 0, options) =>
        run({ sequences: [{ newTokens: tokens, context }], logitRows: 1 }, options),
      decode: (sequences, context, options) =>
        run(
          { sequences: Array.from({ length: sequences }, () => ({ newTokens: 1, context })), logitRows: sequences },
          options,
        ),
    };
  }
}

export const measureFake = (engine = new FakeEngine(), options = OPTIONS): RoundMeasure =>
  measureOn(engine, options.prompt, 512);

export const idsOf = (points: readonly BenchPoint[]): string[] => points.map(({ id }) => id);
