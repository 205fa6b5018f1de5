import type { Gpu } from '../../src/gpu/gpu.js';
import {
  maskWords,
  SampleKernel,
  sampleVariants,
  SAMPLING_WORDS,
  writeSampling,
  type SamplingRow,
} from '../../src/kernels/sample/kernel.js';
import type { Variant } from '../../src/kernels/variant.js';
import { paddedColumns } from '../../src/kernels/weights.js';
import { poisoned, readWords, storageOf, submit } from './buffers.js';
import { stepUniform } from './step.js';

export const NEUTRAL: SamplingRow = {
  slot: 0,
  usesState: false,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  presencePenalty: 0,
  frequencyPenalty: 0,
  seed: 1,
  draw: 0,
};

/** A variant, and the one that goes with it for steps in which all rows are greedy. */
export interface TestVariant extends Variant {
  readonly greedy: Variant;
}

/** The variants an adapter runs, or the first that it would as a GPU with small workgroups. */
export function testVariants({ capabilities }: Gpu, asGpu: boolean): TestVariant[] {
  const { full, greedy } = sampleVariants(
    asGpu ? { ...capabilities, isCpu: false, maxInvocations: 128 } : capabilities,
  );
  const runnable = full.filter((variant) => variant.runs(capabilities)).map((variant) => ({ ...variant, greedy }));
  return asGpu ? runnable.slice(0, 1) : runnable;
}

export interface TestSampling {
  /** Logits of each row; rows may share one array. */
  readonly logits: readonly Float64Array[];
  readonly rows: readonly SamplingRow[];
  /** State table by slot: [vocab] of (u32, f32) words; slots left out are poisoned. */
  readonly state?: Readonly<Record<number, Uint32Array>>;
  /** Token masks by slot; slots left out are poisoned. */
  readonly masks?: Readonly<Record<number, Uint32Array>>;
  /** Take the kernel for steps in which every row is greedy. */
  readonly short?: boolean;
}

export interface Sampled {
  readonly tokens: number[];
  readonly slotTokens: number[];
  readonly state: Uint32Array;
}

/** Samples every row in one launch. */
export async function sample(gpu: Gpu, { greedy, ...variant }: TestVariant, test: TestSampling): Promise<Sampled> {
  const { logits, rows, state = {}, masks = {} } = test;
  const vocab = logits[0].length;
  // Rows of the same logits share them, which makes thousands of draws cheap.
  const shared = logits.length > 1 && logits.every((row) => row === logits[0]);
  const stride = shared ? 0 : paddedColumns(vocab);
  const slots = Math.max(...rows.map(({ slot }) => slot)) + 1;
  // The padding columns hold NaN, which must not be taken for a broken row.
  const values = new Float32Array((shared ? 1 : rows.length) * paddedColumns(vocab)).fill(NaN);
  for (let i = 0; i < (shared ? 1 : rows.length); i++) values.set(logits[i], i * stride);
  const parameters = new Uint32Array(rows.length * SAMPLING_WORDS);
  const floats = new Float32Array(parameters.buffer);
  rows.forEach((row, i) => writeSampling(parameters, floats, i * SAMPLING_WORDS, row));
  const stateBuffer = poisoned(gpu, 'state', Object.keys(state).length === 0 ? 4 : slots * vocab * 2);
  for (const [slot, words] of Object.entries(state)) {
    gpu.queue.writeBuffer(stateBuffer, Number(slot) * vocab * 8, words as Uint32Array<ArrayBuffer>);
  }
  const maskBuffer = poisoned(gpu, 'masks', slots * maskWords(vocab));
  for (const [slot, words] of Object.entries(masks)) {
    gpu.queue.writeBuffer(maskBuffer, Number(slot) * maskWords(vocab) * 4, words as Uint32Array<ArrayBuffer>);
  }
  const slotTokens = poisoned(gpu, 'slot tokens', slots);
  const sampled = poisoned(gpu, 'sampled', rows.length);
  const kernel = await SampleKernel.create(gpu, {
    ...{ operation: 'sample', vocab, stride, variant, greedy, slotTokens, sampled },
    step: stepUniform(gpu, { logitRows: rows.length }),
    sampling: storageOf(gpu, 'sampling', parameters),
    logits: storageOf(gpu, 'logits', values),
    state: stateBuffer,
    masks: maskBuffer,
  });
  submit(gpu, (pass) => kernel.record(pass, rows.length, test.short ?? false));
  return {
    tokens: [...(await readWords(gpu, sampled)).subarray(0, rows.length)],
    slotTokens: [...(await readWords(gpu, slotTokens)).subarray(0, slots)],
    state: await readWords(gpu, stateBuffer),
  };
}

/** How often each id was drawn with seeds and draw counters that all differ. */
export async function frequencies(
  gpu: Gpu,
  variant: TestVariant,
  logits: Float64Array,
  row: SamplingRow,
  draws: number,
  state?: Uint32Array,
): Promise<number[]> {
  // With a state each row has a slot of its own, because a draw counts its token there.
  const rows = Array.from({ length: draws }, (_, i) => ({
    ...row,
    slot: state === undefined ? 0 : i,
    seed: 1000 + Math.floor(i / 64),
    draw: i % 64,
  }));
  const states = state === undefined ? undefined : Object.fromEntries(rows.map((_, i) => [i, state]));
  const { tokens } = await sample(gpu, variant, { logits: rows.map(() => logits), rows, state: states });
  const counts = new Array<number>(logits.length).fill(0);
  for (const token of tokens) counts[token]++;
  return counts;
}

/**
 * Pearson's statistic of counts against probabilities, normalised: (chi^2 - f) / sqrt(2 f) for f degrees of freedom,
 * about a standard normal. Ids expected fewer than five times are counted together. Infinity where an id of
 * probability 0 was drawn.
 */
export function chiSquareScore(counts: readonly number[], probabilities: Float64Array): number {
  const draws = counts.reduce((sum, count) => sum + count, 0);
  const cells: { seen: number; expected: number }[] = [];
  const rest = { seen: 0, expected: 0 };
  probabilities.forEach((probability, id) => {
    const expected = probability * draws;
    if (expected >= 5) cells.push({ seen: counts[id], expected });
    else {
      rest.seen += counts[id];
      rest.expected += expected;
    }
    if (probability === 0 && counts[id] > 0) rest.seen = Infinity;
  });
  if (rest.expected > 0 || rest.seen > 0) cells.push(rest);
  const freedom = Math.max(1, cells.length - 1);
  let chi = 0;
  for (const { seen, expected } of cells) if (seen !== expected) chi += (seen - expected) ** 2 / expected;
  return (chi - freedom) / Math.sqrt(2 * freedom);
}
