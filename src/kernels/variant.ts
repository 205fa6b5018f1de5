import type { Capabilities } from '../gpu/capabilities.js';
import { has, type Mask } from '../gpu/masks.js';
import { pipelineName, shaderName, type PipelineSpec } from '../gpu/pipelines.js';
import { RidgepointError } from '../errors.js';

/**
 * What multiplies: ordinary shader code (`scalar`), its dot products of four 8-bit numbers (`dot8`), subgroup matrices of
 * floats (`matrix`) or of 8-bit numbers (`matrix8`). Each has a ceiling of its own.
 */
export type Units = 'scalar' | 'dot8' | 'matrix' | 'matrix8';

/**
 * How far a result may be from float64 on the same stored numbers, as the norm of the difference over the norm. It is
 * meant for sums of some 700 products; errors grow with the root of their number.
 */
export const TOLERANCE = {
  /** Errors of 2^-24 that add up like a random walk, and the few units of the last place of exp in SiLU. */
  f32: 2e-6,
  /** exp of scores besides, whose own errors it multiplies by their size. */
  softmax: 3e-6,
  /**
   * An operand rounded to f16 on the way: each factor is off by up to 2^-11 of itself, 2^-11 / sqrt(3) = 2.8e-4 in the
   * mean square, and so is a sum of many products; a SiLU gate multiplies two such sums.
   */
  roundedOperands: 1e-3,
  /** Sums in f16 of up to 128 products besides, which are off by about 1e-3. */
  halfSums: 2e-3,
  /** Sums of whole numbers are exact; what is left are scales in f32, one a group. */
  wholeSums: 5e-7,
  /** A handful of operations in f32 for each number, one sum of a row. */
  elementwise: 5e-7,
} as const;

/** What a variant says of itself; benchmarks, tuning and tests ask for it here and read nothing off a name. */
export interface Declaration extends PipelineSpec {
  /** Short name within its family, for example `vec4` or `tiled`. Records and choices hold it, so it stays. */
  readonly name: string;
  /** `scalar` when absent. */
  readonly units?: Units;
  /** What it adds up in; f32 when absent. */
  readonly sums?: 'f16' | 'i32';
  /** One of `TOLERANCE`; absent where a result is right or wrong: a token, a copied number. */
  readonly tolerance?: number;
  /** How long drivers that run shaders on the CPU compile it for, where that is longer than a moment. */
  readonly compiles?: 'seconds' | 'minutes';
  /** Capabilities it cannot do without. */
  readonly needs: readonly Mask[];
  /** Whether an adapter that has them has its sizes too: threads, workgroup memory, lanes. All have when absent. */
  fits?(capabilities: Capabilities): boolean;
}

/** One way to run a kernel, and the adapters that can run it. */
export interface Variant extends Declaration {
  /** Whether this adapter can run it at all. */
  runs(capabilities: Capabilities): boolean;
}

/** A variant of what it declares. */
export function variantOf<V extends Variant>(declared: Omit<V, 'runs'>): V {
  const runs = (capabilities: Capabilities): boolean =>
    declared.needs.every((need) => has(capabilities, need)) && (declared.fits?.(capabilities) ?? true);
  return { ...declared, runs } as unknown as V;
}

/** Whether an adapter can run a variant, and its driver can be trusted with it. */
export function runsOn(variant: Variant, capabilities: Capabilities): boolean {
  const { excluded } = capabilities;
  // On nearly every adapter the list is empty.
  if (
    excluded.length > 0 &&
    (excluded.includes(`${shaderName(variant)}.wgsl`) || excluded.includes(pipelineName(variant)))
  ) {
    return false;
  }
  return variant.runs(capabilities);
}

/**
 * The variant that a choice names or, where nothing was chosen, the first of a family, best first, that the adapter can
 * run.
 *
 * @throws RidgepointError when none can, which a portable last entry rules out
 * @throws Error where a choice names what this adapter cannot run; whoever made it has to see to that
 */
export function selectVariant<V extends Variant>(
  family: string,
  variants: readonly V[],
  capabilities: Capabilities,
  name?: string,
): V {
  const chosen = variants.find((each) => (name ?? each.name) === each.name && runsOn(each, capabilities));
  if (chosen !== undefined) return chosen;
  if (name !== undefined) throw new Error(`${family} variant ${name} does not exist or does not run on this adapter`);
  throw new RidgepointError('adapter', `this adapter can run no variant of ${family}`);
}

/** Conditions that follow from the adapter and are the same for all kernels that reduce across lanes. */
export function laneDefines(capabilities: Capabilities, subgroups = capabilities.subgroups): Record<string, boolean> {
  return {
    // Sums across lanes by subgroup operations, not by a tree in workgroup memory.
    subgroups,
    // The number of a subgroup is a builtin; without, it follows from the thread's.
    subgroup_id: subgroups && capabilities.subgroupId,
    // CPU drivers have few subgroups in a workgroup, which one thread adds up as quickly.
    lanes_join: subgroups && !capabilities.isCpu,
  };
}

/**
 * Makes what an adapter can run once for each of its needs: an engine asks for the same lists with every launch that it
 * prepares, and measuring with thousands.
 *
 * @param key of what besides the adapter decides
 */
export function madeOnce<A extends readonly unknown[], T>(
  key: (...args: A) => string,
  make: (capabilities: Capabilities, ...args: A) => T,
): (capabilities: Capabilities, ...args: A) => T {
  const known = new WeakMap<Capabilities, Map<string, T>>();
  return (capabilities, ...args) => {
    let own = known.get(capabilities);
    if (own === undefined) known.set(capabilities, (own = new Map<string, T>()));
    const name = key(...args);
    let made = own.get(name);
    if (made === undefined) own.set(name, (made = make(capabilities, ...args)));
    return made;
  };
}
