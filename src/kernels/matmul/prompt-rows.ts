import type { Capabilities } from '../../gpu/capabilities.js';
import type { ActivationDtype } from '../../quantization/activations.js';
import { matrixVariants } from './matrix.js';
import type { WeightLayout } from '../weights.js';

/** What rows of prompts are in on their way into a projection. */
export type PromptRows = 'f32' | 'f16' | 'int8';

/**
 * What suits an adapter. Subgroup matrices multiply f16, so norms, attention and gates write it, once, in place of every
 * tile that reads it. CPU drivers, which spell matrices out, keep f32.
 *
 * @param activations as asked for
 * @param layout of the weights that the rows are multiplied with
 */
export function promptRows(activations: ActivationDtype, layout: WeightLayout, capabilities: Capabilities): PromptRows {
  if (activations === 'int8') return 'int8';
  return !capabilities.isCpu && matrixVariants(layout, capabilities).length > 0 ? 'f16' : 'f32';
}

/** Rows of prompts in another format than f32, for a product to read. */
export interface StoredRows {
  readonly rows: 'f16' | 'int8';
  readonly buffer: GPUBuffer;
  /** 32-bit words of a row. */
  readonly words: number;
}
