import { MASK_WORDS, type Mask } from '../../gpu/masks.js';
import type { Withheld } from '../../gpu/capabilities.js';

/** Something of a driver that is not to be used. */
export type Finding =
  /** A pipeline or a shader by name. */
  { readonly kernel: string; readonly why: string } | { readonly mask: Mask; readonly why: string };

/** What was found out about a driver with the kernels there are now. */
export interface DriverRecord {
  readonly findings: readonly Finding[];
  /** Models whose kernels were tried to the end, by `trialKey`. */
  readonly tried: readonly string[];
}

export const UNKNOWN_DRIVER: DriverRecord = { findings: [], tried: [] };

/** What findings take from a device. */
export function withheldBy(findings: readonly Finding[]): Required<Withheld> {
  return {
    disabled: MASK_WORDS.filter((word) => findings.some((each) => 'mask' in each && each.mask === word)),
    excluded: findings.flatMap((each) => ('kernel' in each ? [each.kernel] : [])),
  };
}

/** One line for a user; undefined where nothing is withheld. */
export function remarkOn(driver: string, findings: readonly Finding[]): string | undefined {
  if (findings.length === 0) return undefined;
  const what = findings.map((each) => `${'mask' in each ? each.mask : shortly(each.kernel)} (${each.why})`);
  return `Left out because of the driver, ${driver}: ${[...new Set(what)].join(', ')}; docs/drivers.md says more`;
}

/** A pipeline's name without its constants: `matmul_vec(R=4,WG=64)` is `matmul_vec`. */
const shortly = (kernel: string): string => kernel.replace(/\(.*|\.wgsl$/, '');
