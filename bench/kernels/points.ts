import type { Capabilities } from '../../src/gpu/capabilities.js';
import type { KvStored } from '../../src/kernels/attention/shape.js';
import type { StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import { attentionPoint, MOST_DECODE_ROWS } from './attention.js';
import { elementwisePoint } from './elementwise.js';
import { matmulPoint, matmulSizes, type MatmulSize } from './matmul.js';
import type { Point } from './point.js';
import type { KernelKind } from './schema.js';

export interface KernelSweep {
  readonly models: readonly { readonly name: string; readonly config: ModelConfig }[];
  /** Matmul sizes given by hand. */
  readonly shapes: readonly { readonly n: number; readonly k: number }[];
  readonly kinds: readonly KernelKind[];
  readonly rows: readonly number[];
  readonly contexts: readonly number[];
  readonly dtype: StoredDtype;
  /** What kernels for many rows multiply. */
  readonly activations: ActivationDtype;
  readonly kv: KvStored;
}

/** All operations at all sizes asked for; contexts beyond a model's positions are left out. */
export function kernelPoints(sweep: KernelSweep, capabilities: Capabilities): Point[] {
  const { models, shapes, kinds, rows, contexts, dtype, activations, kv } = sweep;
  const points: Point[] = [];
  if (kinds.includes('matmul')) {
    const given: MatmulSize[] = shapes.map((shape) => ({ model: null, operation: 'matmul', ...shape }));
    for (const size of [...models.flatMap(({ name, config }) => matmulSizes(name, config)), ...given]) {
      for (const count of rows) {
        // The head runs on the rows that want logits, one a sequence.
        if (size.operation === 'lm_head' && count > MOST_DECODE_ROWS) continue;
        points.push(matmulPoint(size, dtype, count, capabilities, activations));
      }
    }
  }
  for (const model of models) {
    const { name, config } = model;
    if (kinds.includes('attention')) {
      for (const count of rows) {
        const decode = count <= MOST_DECODE_ROWS;
        for (const context of decode ? contexts : [0, ...contexts]) {
          if (context + (decode ? 1 : count) > config.maxPositions) continue;
          points.push(attentionPoint(model, { kv, rows: count, context }, capabilities));
        }
      }
    }
    for (const kind of ['norm', 'rope', 'embed', 'sample'] as const) {
      if (!kinds.includes(kind)) continue;
      // A step has at most a row of logits a sequence.
      const sizes = kind === 'sample' ? rows.filter((count) => count <= MOST_DECODE_ROWS) : rows;
      for (const count of sizes) points.push(elementwisePoint(kind, { model: name, config, dtype, kv, rows: count }));
    }
  }
  return points;
}
