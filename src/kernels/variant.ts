import type { Capabilities } from '../gpu/capabilities.js';
import type { Gpu } from '../gpu/gpu.js';
import { pipelineName, type Pipeline, type PipelineSpec } from '../gpu/pipelines.js';
import { RidgepointError } from '../errors.js';

/** One way to run a kernel, and the adapters that can run it. */
export interface Variant extends PipelineSpec {
  /** Short name within its family, for example `vec4` or `tiled`. */
  readonly name: string;
  /** Whether this adapter can run it at all. */
  runs(capabilities: Capabilities): boolean;
}

/** Whether an adapter can run a variant, and its driver can be trusted with it. */
export function runsOn(variant: Variant, capabilities: Capabilities): boolean {
  const { excluded } = capabilities;
  // On nearly every adapter the list is empty.
  if (excluded.length > 0 && (excluded.includes(variant.shader) || excluded.includes(pipelineName(variant)))) {
    return false;
  }
  return variant.runs(capabilities);
}

/**
 * The first variant of a family, best first, that the adapter can run.
 *
 * @throws RidgepointError when none can, which a portable last entry rules out
 */
export function selectVariant<V extends Variant>(
  family: string,
  variants: readonly V[],
  capabilities: Capabilities,
): V {
  const chosen = variants.find((variant) => runsOn(variant, capabilities));
  if (chosen === undefined) throw new RidgepointError('adapter', `this adapter can run no variant of ${family}`);
  return chosen;
}

/** Conditions that follow from the adapter and are the same for all kernels that reduce across lanes. */
export function laneDefines(capabilities: Capabilities, subgroups = capabilities.subgroups): Record<string, boolean> {
  return {
    subgroups,
    subgroup_id: subgroups && capabilities.subgroupId,
    // CPU drivers have few subgroups in a workgroup, which one thread adds up as quickly.
    lanes_join: subgroups && !capabilities.isCpu,
  };
}

export function compile(gpu: Gpu, variant: PipelineSpec): Promise<Pipeline> {
  return gpu.pipelines.get(variant);
}
