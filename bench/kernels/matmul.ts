import type { Capabilities } from '../../src/gpu/capabilities.js';
import { chosenFor, defaultMatmulChoice, runnableMatmuls } from '../../src/kernels/matmul-choice.js';
import { matmulVariants, type MatmulVariant } from '../../src/kernels/matmul.js';
import { layoutOn, matmulTrial, matmulTrialData, trialOutputs, variantsFor } from '../../src/kernels/trials/matmul.js';
import { storedBytes, type StoredDtype } from '../../src/kernels/weights.js';
import type { LlamaConfig } from '../../src/model/config.js';
import { operationShapes } from '../../src/model/operations.js';
import { promptRows } from '../../src/kernels/prompt-rows.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import { candidates, type Point, type Units } from './point.js';

export interface MatmulSize {
  readonly model: string | null;
  readonly operation: string;
  readonly n: number;
  readonly k: number;
}

/** The matmuls of a model, each size once. */
export function matmulSizes(model: string, config: LlamaConfig): MatmulSize[] {
  const seen = new Set<string>();
  return operationShapes({ ...config, layers: 1 })
    .filter(({ kind, n, k }) => kind === 'matmul' && !seen.has(`${n} ${k}`) && seen.add(`${n} ${k}`))
    .map(({ name, n, k }) => ({ model, operation: name.replace(/^layers\.0\./, ''), n, k }));
}

/** Subgroup matrices are recognised by what the shader is composed with, products in 8 bits by its name. */
export function unitsOf({ shader, defines }: Pick<MatmulVariant, 'shader' | 'defines'>): Units {
  const matrix = /matrix/.test(shader) || Object.keys(defines).some((name) => /matrix/i.test(name));
  return `${matrix ? 'matrix' : 'shader'}${/packed/.test(shader) ? ' int8' : ''}`;
}

/** @param activations what kernels for many rows multiply */
export function matmulPoint(
  size: MatmulSize,
  dtype: StoredDtype,
  rows: number,
  capabilities: Capabilities,
  activations: ActivationDtype = 'f32',
): Point {
  const { k } = size;
  const n = trialOutputs({ n: size.n, k, dtype }, rows, capabilities.isCpu);
  const shape = { n, k, dtype, activations };
  return {
    kind: 'matmul',
    model: size.model,
    operation: size.operation,
    shape: `${size.n}x${k}`,
    slice: n === size.n ? null : `${n}x${k}`,
    dtype,
    ...(activations === 'f32' ? {} : { activations }),
    rows,
    context: 0,
    bytes: storedBytes(n, k, { dtype, lanes: 1 }) + rows * ((activations === 'int8' ? 1 : 4) * k + 4 * n),
    flops: 2 * rows * n * k,
    async prepare(gpu, preparing) {
      const layout = layoutOn(gpu, dtype);
      const all = matmulVariants(layout, gpu.capabilities, promptRows(activations, layout, gpu.capabilities));
      const runnable = runnableMatmuls(all, gpu.capabilities);
      const usual = defaultMatmulChoice(runnable, { n: size.n, k, sequences: rows });
      const data = await matmulTrialData(gpu, shape, rows, preparing.workingBytes);
      const worth = variantsFor(runnable, rows);
      const maker = (variant: MatmulVariant, width: 'few' | 'many') => ({
        variant: variant.name,
        isDefault: variant.name === chosenFor(usual[width], rows),
        units: unitsOf(variant),
        make: () => matmulTrial(gpu, data, variant, width, rows),
      });
      return candidates(
        [...worth.few.map((each) => maker(each, 'few')), ...worth.many.map((each) => maker(each, 'many'))],
        preparing,
      );
    },
  };
}
