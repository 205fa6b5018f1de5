import type { AttentionChoice } from './attention/kernel.js';
import type { MatmulChoice } from './matmul/choice.js';
import type { WeightMatrix } from './weights.js';

/** Which variants a model's kernels are made of, looked up by shape; undefined means the default. */
export interface KernelChoices {
  matmul(weights: Pick<WeightMatrix, 'rows' | 'cols' | 'dtype'>): MatmulChoice | undefined;
  readonly attention: AttentionChoice | undefined;
}
