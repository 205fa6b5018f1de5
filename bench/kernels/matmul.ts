import type { Capabilities } from '../../src/gpu/capabilities.js';
import { chosenFor, defaultMatmulChoice, runnableMatmuls } from '../../src/kernels/matmul/choice.js';
import { matmulVariants, type MatmulVariant } from '../../src/kernels/matmul/kernel.js';
import { layoutOn, matmulTrial, matmulTrialData, trialOutputs, variantsFor } from '../../src/kernels/matmul/trial.js';
import { storedBytes, type StoredDtype } from '../../src/kernels/weights.js';
import type { ModelConfig } from '../../src/model/config.js';
import { operationShapes } from '../../src/model/operations.js';
import { promptRows } from '../../src/kernels/matmul/prompt-rows.js';
import type { ActivationDtype } from '../../src/quantization/activations.js';
import type { Point } from './point.js';

export interface MatmulSize {
  readonly model: string | null;
  readonly operation: string;
  readonly n: number;
  readonly k: number;
}

/** The matmuls of a model, each size once. */
export function matmulSizes(model: string, config: ModelConfig): MatmulSize[] {
  const seen = new Set<string>();
  return operationShapes({ ...config, layers: 1 })
    .filter(({ kind, n, k }) => kind === 'matmul' && !seen.has(`${n} ${k}`) && seen.add(`${n} ${k}`))
    .map(({ part, n, k }) => ({ model, operation: part, n, k }));
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
    async prepare(gpu, workingBytes) {
      const layout = layoutOn(gpu, dtype);
      const all = matmulVariants(layout, gpu.capabilities, promptRows(activations, layout, gpu.capabilities));
      const runnable = runnableMatmuls(all, gpu.capabilities);
      const usual = defaultMatmulChoice(runnable, { n: size.n, k, sequences: rows });
      const data = await matmulTrialData(gpu, shape, rows, workingBytes);
      const worth = variantsFor(runnable, rows);
      const maker = (variant: MatmulVariant, phase: 'decode' | 'prefill') => ({
        variant: variant.name,
        isDefault: variant.name === chosenFor(usual[phase], rows),
        units: variant.units ?? 'scalar',
        make: () => matmulTrial(gpu, data, variant, phase, rows),
      });
      return [
        ...worth.decode.map((each) => maker(each, 'decode')),
        ...worth.prefill.map((each) => maker(each, 'prefill')),
      ];
    },
  };
}
