import type { Gpu } from '../../gpu/gpu.js';
import { pipelineName } from '../../gpu/pipelines.js';
import {
  BLOCK_TOKENS,
  isQuantizedKv,
  paddedHeadDim,
  type HeadShape,
  type KvStored,
} from '../../kernels/attention/shape.js';
import { ropeVariant } from '../../kernels/rope/kernel.js';
import { runRope, trialPosition, type FiledRun } from '../../kernels/rope/trial.js';
import { trialValues } from '../../kernels/trial-step.js';
import { paddedColumns } from '../../kernels/weights.js';
import type { ModelConfig } from '../../model/config.js';
import { graphOf } from '../../model/families/index.js';
import { layersOf } from '../../model/graph.js';
import { cachedHead, disagreement } from '../../tuning/reference.js';

/** Rows of a prompt that are filed. */
const ROWS = 5;
/** A number of a cache of int8 is off by up to 1 / 254 of its head's largest, by 1 / 440 in the mean square. */
const QUANTIZED_TOLERANCE = 1e-2;

/** What a model does with heads of queries, keys and values before it rotates them. */
export function headsOf(config: ModelConfig): { readonly bias: boolean; readonly norm: boolean } {
  const values = layersOf(graphOf(config)).flat();
  return {
    bias: values.some((each) => each.op === 'project' && each.from.some(({ bias }) => bias !== undefined)),
    norm: values.some((each) => each.op === 'heads' && each.work === 'norm'),
  };
}

/**
 * Why heads were not rotated and filed as they should be; undefined where they were.
 *
 * @param before row by row what queries, keys and values are before they are rotated
 */
export function wrongHeads(
  run: FiledRun,
  { shape, kv }: { readonly shape: HeadShape; readonly kv: KvStored },
  before: readonly Float64Array[],
): string | undefined {
  const { heads, kvHeads, headDim } = shape;
  const padded = paddedHeadDim(headDim);
  const [queries, keys, values] = [heads, kvHeads, kvHeads].map((count) => ({
    found: new Float64Array(before.length * count * headDim),
    expected: new Float64Array(before.length * count * headDim),
  }));
  for (const [row, numbers] of before.entries()) {
    const position = trialPosition(row);
    const inBlock = position % BLOCK_TOKENS;
    for (let head = 0; head < heads + 2 * kvHeads; head++) {
      const isQuery = head < heads;
      const isValue = head >= heads + kvHeads;
      const own = isQuery ? head : (head - heads) % kvHeads;
      const { found, expected } = isQuery ? queries : isValue ? values : keys;
      const to = (row * (isQuery ? heads : kvHeads) + own) * headDim;
      const place = (Math.floor(position / BLOCK_TOKENS) * kvHeads + own) * BLOCK_TOKENS + inBlock;
      const stored = isQuery
        ? run.queries.subarray((row * heads + head) * padded)
        : cachedHead(isValue ? run.values : run.keys, place, padded, kv);
      for (let i = 0; i < headDim; i += 2) {
        const [x, y] = numbers.subarray(head * headDim + i);
        const [cos, sin] = isValue ? [1, 0] : run.angles.subarray(position * headDim + i);
        expected.set([x * cos - y * sin, x * sin + y * cos], to + i);
        found.set([stored[i], stored[i + 1]], to + i);
      }
    }
  }
  for (const [name, { found, expected }] of Object.entries({ queries, keys, values })) {
    const tolerance = name !== 'queries' && isQuantizedKv(kv) ? QUANTIZED_TOLERANCE : undefined;
    const reason = disagreement(found, expected, tolerance);
    if (reason !== undefined) return `${name}: ${reason}`;
  }
  return undefined;
}

/** What `runRope` is given, with biases added and heads normed in float64. */
function expectedRows(shape: HeadShape, bias: boolean, norm: boolean, eps: number): Float64Array[] {
  const { heads, kvHeads, headDim } = shape;
  const width = (heads + 2 * kvHeads) * headDim;
  const stride = paddedColumns(width);
  const x = trialValues(ROWS * stride);
  const constants = trialValues(width + 2 * headDim);
  return Array.from({ length: ROWS }, (_, row) => {
    const numbers = Float64Array.from({ length: width }, (_, i) => x[row * stride + i] + (bias ? constants[i] : 0));
    for (let head = 0; norm && head < heads + kvHeads; head++) {
      const own = numbers.subarray(head * headDim, (head + 1) * headDim);
      const scale = 1 / Math.sqrt(own.reduce((sum, each) => sum + each * each, 0) / headDim + eps);
      const scales = width + (head < heads ? 0 : headDim);
      own.forEach((each, i) => (own[i] = each * scale * constants[scales + i]));
    }
    return numbers;
  });
}

/** The kernel that rotates and files prompts, and why it is wrong; undefined where it is right. It has one variant. */
export async function wrongRope(
  gpu: Gpu,
  config: ModelConfig,
  kv: KvStored,
): Promise<{ readonly kernel: string; readonly reason: string } | undefined> {
  const { heads, kvHeads, headDim, rmsNormEps: eps } = config;
  const shape = { heads, kvHeads, headDim };
  const { bias, norm } = headsOf(config);
  const constants = bias || norm ? { ...(bias && { bias: 0 }), ...(norm && { norm: 0 }) } : undefined;
  const kernel = pipelineName(ropeVariant(shape, kv, gpu.capabilities, constants));
  return gpu.pipelines.during([kernel], () =>
    gpu.scoped(async () => {
      const run = await runRope(gpu, { shape, kv, rows: ROWS, bias, norm, eps });
      const reason = wrongHeads(run, { shape, kv }, expectedRows(shape, bias, norm, eps));
      return reason === undefined ? undefined : { kernel, reason };
    }),
  );
}
