import type { Gpu } from '../../gpu/gpu.js';
import { isQuantizedKv } from '../../kernels/attention/shape.js';
import { runFused, type FusedCase, type FusedRun, type FusedTask } from '../../kernels/matmul/fused-trial.js';
import { trialValues } from '../../kernels/trial-step.js';
import { paddedColumns } from '../../kernels/weights.js';
import type { ModelContest } from '../../tuning/contests.js';
import { disagreement } from '../../tuning/reference.js';
import { headsOf, wrongHeads } from './heads.js';
import type { TrialModel } from './trial.js';

/** Rows that run together: more than one, and no whole group of the kernels that take several. */
const ROWS = 3;

/** A default that is wrong. */
export interface WrongDefault {
  readonly contest: ModelContest;
  readonly name: string;
  readonly reason: string;
}

/**
 * Checks the launches for few rows that do more than the product of their contest: the norm in front, SiLU and its gate
 * behind, q, k and v with their biases rotated and filed, or the rows picked whose logits are wanted. They are held
 * against the plain product of the same variant, which has been checked, with the rest done on the host.
 *
 * @param right names of those known to be right; grows
 */
export async function firstWrongFused(
  gpu: Gpu,
  { config, kv }: TrialModel,
  contests: readonly ModelContest[],
  right: Set<string>,
): Promise<WrongDefault | undefined> {
  const { hidden, intermediate, heads, kvHeads, headDim, vocab, rmsNormEps: eps } = config;
  const shape = { heads, kvHeads, headDim };
  const { bias, norm } = headsOf(config);
  for (const contest of contests) {
    const { subject } = contest;
    if (subject.kind !== 'matmul' || subject.phase !== 'decode' || subject.k !== hidden) continue;
    const tasks: FusedTask[] = [];
    if (subject.n === 2 * intermediate) tasks.push({ kind: 'gate' });
    // Heads that are normed, and those of a cache of int8, have a launch of their own.
    if (subject.n === (heads + 2 * kvHeads) * headDim && !isQuantizedKv(kv) && !norm) {
      tasks.push({ kind: 'heads', shape, kv, bias });
    }
    if (subject.n === vocab) tasks.push({ kind: 'wanted' });
    for (const task of tasks) {
      for (const name of new Set(contest.cases.map(({ usual }) => usual))) {
        const known = `${contest.key} ${name} ${task.kind}`;
        if (right.has(known)) continue;
        const { n, k, dtype } = subject;
        const test: FusedCase = { shape: { n, k, dtype }, task, rows: ROWS, eps };
        const reason = await gpu.scoped(async () => wrongIn(await runFused(gpu, test, name), test));
        if (reason !== undefined) return { contest, name, reason: `${TASKS[task.kind]}: ${reason}` };
        right.add(known);
      }
    }
  }
  return undefined;
}

const TASKS = {
  gate: 'with norm and gate',
  wanted: 'with norm of the rows that want logits',
  heads: 'with norm, rotation and cache',
} as const;

/** Why a fused launch does not come to what it is made of; undefined where it does. */
function wrongIn(run: FusedRun, { shape, task, rows }: FusedCase): string | undefined {
  const { product, stride } = run;
  if (task.kind === 'gate') {
    const { n } = shape;
    const out = paddedColumns(n / 2);
    const expected = new Float64Array((rows * n) / 2);
    const found = expected.map((_, i) => run.out[Math.floor(i / (n / 2)) * out + (i % (n / 2))]);
    expected.forEach((_, i) => {
      const at = Math.floor(i / (n / 2)) * stride + 2 * (i % (n / 2));
      expected[i] = (product[at] / (1 + Math.exp(-product[at]))) * product[at + 1];
    });
    return disagreement(found, expected);
  }
  if (task.kind === 'wanted') {
    const { n } = shape;
    const expected = Float64Array.from(
      { length: rows * n },
      (_, i) => product[(rows - 1 - Math.floor(i / n)) * stride + (i % n)],
    );
    const found = expected.map((_, i) => run.out[Math.floor(i / n) * stride + (i % n)]);
    return disagreement(found, expected);
  }
  const bias = task.bias ? trialValues(shape.n) : undefined;
  const before = Array.from({ length: rows }, (_, row) =>
    Float64Array.from({ length: shape.n }, (_, i) => product[row * stride + i] + (bias?.[i] ?? 0)),
  );
  return wrongHeads(run.filed!, task, before);
}
