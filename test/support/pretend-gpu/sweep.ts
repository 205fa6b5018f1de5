import { join } from 'node:path';
import { root } from '../../platform/child.js';
import { isHot, loopsOf, type Loop } from './loops.js';
import { runPretended, type PretendOptions } from './run.js';
import type { SpirvModule } from './spirv.js';

/** A pipeline that was compiled for the pretended GPU. */
export interface SweptPipeline {
  /** For example `matmul few f16 vec1+norm`. */
  readonly label: string;
  /** As the pipeline cache calls it. */
  readonly name: string;
  /** Its file below `shaders/`. */
  readonly shader: string;
  readonly module: SpirvModule;
}

export interface Sweep {
  readonly pipelines: readonly SweptPipeline[];
  /** Those that do not compile, with Tint's messages. */
  readonly failed: readonly string[];
}

/**
 * Compiles all variants of an adapter with NVIDIA's subgroup matrices: of the matmuls of some formats of weights, fused
 * and not, of attention for the heads of some models and every cache, and whatever else a model is made of.
 *
 * @param formats names such as `int4-g32`, or `all`
 * @param models presets, or `all`
 */
export async function sweep(formats: string, models: string, options: PretendOptions = {}): Promise<Sweep> {
  const script = join(root, 'test', 'support', 'pretend-gpu', 'sweep.mjs');
  const run = await runPretended([script, formats, models], { dump: true, ...options });
  if (run.code !== 0) throw new Error(`the sweep ended with ${run.code ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Omit<SweptPipeline, 'module'> & { module: number | null; error?: string });
  return {
    pipelines: lines.flatMap(({ module, error, ...rest }) =>
      module === null || error !== undefined ? [] : [{ ...rest, module: run.modules[module] }],
    ),
    failed: lines.flatMap(({ label, error }) => (error === undefined ? [] : [`${label}: ${error}`])),
  };
}

/** The loops in which a kernel spends its time. */
export const hotLoops = ({ module }: SweptPipeline): Loop[] => loopsOf(module).filter(isHot);

/** Labels of pipelines by shader, for a message that can be read. */
export function byShader(pipelines: readonly SweptPipeline[]): Record<string, string[]> {
  const lists: Record<string, string[]> = {};
  for (const { shader, label } of pipelines) (lists[shader] ??= []).push(label);
  return lists;
}
