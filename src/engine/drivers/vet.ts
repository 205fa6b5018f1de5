import { RidgepointError } from '../../errors.js';
import { option, words } from '../../wording.js';
import { MASK_WORDS, type Mask } from '../../gpu/masks.js';
import { withheldBy, type DriverRecord, type Finding } from './record.js';

/** How a trial in a process of its own went. */
export type TrialOutcome =
  | { readonly ended: 'well'; readonly findings: readonly Finding[] }
  /** It said why it cannot go on: no memory, no variant left. */
  | { readonly ended: 'refused'; readonly why: string; readonly lacksVariant: boolean }
  /** All variants of a kernel are wrong. */
  | { readonly ended: 'hopeless'; readonly why: string }
  /** The driver took the process along, or lost the device, or never came back. */
  | { readonly ended: 'badly'; readonly how: string; readonly trying: readonly string[] };

export interface Vetting {
  /** For messages. */
  readonly adapter: string;
  readonly driver: string;
  /** Tries with what findings leave. */
  run(findings: readonly Finding[]): Promise<TrialOutcome>;
  /** Keeps what is known so far, in case this process too ends early. */
  save(record: DriverRecord): Promise<void>;
}

/** Processes that are started at most; each that ends badly takes something away. */
const MOST_TRIALS = 24;
/** So many pipelines of a shader that end badly speak for the shader. */
const OF_ONE_SHADER = 2;

/**
 * Finds what a driver can be trusted with: tries, takes away what it failed on, and tries again, until a trial ends
 * well. First goes the pipeline that was being tried, then its shader, then the capability it stands on.
 *
 * @param key of the model whose kernels are tried
 * @returns undefined where it could not be found out, for want of memory for example
 * @throws RidgepointError that names kernel and driver, when nothing is left that could be tried instead
 */
export async function vet(vetting: Vetting, key: string, known: DriverRecord): Promise<DriverRecord | undefined> {
  let { findings } = known;
  /** What ended the last process that was ended. */
  let last: { kernel: string; how: string } | undefined;
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const outcome = await vetting.run(findings);
    if (outcome.ended === 'well') {
      const record = { findings: [...findings, ...outcome.findings], tried: [...new Set([...known.tried, key])] };
      await vetting.save(record);
      return record;
    }
    if (outcome.ended === 'hopeless') throw new RidgepointError('device', outcome.why);
    if (outcome.ended === 'badly') {
      const kernel = outcome.trying.at(-1);
      if (kernel === undefined) return undefined; // nothing of ours was running
      last = { kernel, how: outcome.how };
      findings = without(findings, last) ?? withoutCapability(findings, last) ?? giveUp(vetting, last);
    } else if (outcome.lacksVariant && last !== undefined) {
      findings = withoutCapability(findings, last) ?? giveUp(vetting, last);
    } else return undefined;
    await vetting.save({ ...known, findings });
  }
  return last === undefined ? undefined : giveUp(vetting, last);
}

interface Failure {
  readonly kernel: string;
  readonly how: string;
}

const shaderOf = (kernel: string): string => `${kernel.replace(/\(.*/, '')}.wgsl`;

/** Takes away the pipeline; where that was of no use, the shader; undefined where that was done too. */
function without(findings: readonly Finding[], { kernel, how }: Failure): Finding[] | undefined {
  const excluded = withheldBy(findings).excluded;
  const shader = shaderOf(kernel);
  if (excluded.includes(shader)) return undefined;
  const siblings = excluded.filter((each) => shaderOf(each) === shader);
  const whole = siblings.includes(kernel) || siblings.length + 1 >= OF_ONE_SHADER;
  if (!whole) return [...findings, { kernel, why: how }];
  return [...othersThan(findings, shader), { kernel: shader, why: how }];
}

/** Takes away what the pipeline stands on, and gives its shader another chance without. */
function withoutCapability(findings: readonly Finding[], { kernel, how }: Failure): Finding[] | undefined {
  const masks = withheldBy(findings).disabled;
  const mask = standsOn(kernel).find((each) => !masks.includes(each));
  if (mask === undefined) return undefined;
  return [...othersThan(findings, shaderOf(kernel)), { mask, why: how }];
}

const othersThan = (findings: readonly Finding[], shader: string): Finding[] =>
  findings.filter((each) => 'mask' in each || (each.kernel !== shader && shaderOf(each.kernel) !== shader));

/** The capabilities that a pipeline's name tells it was made for. */
function standsOn(kernel: string): Mask[] {
  const signs: Partial<Record<Mask, RegExp>> = {
    'subgroup-matrix': /\bMATRIX_M=/,
    'subgroup-id': /\bsubgroup_id\b/,
    subgroups: /\bsubgroups\b/,
    f16: /\b(f16|half|component_f16|result_f16)\b/,
    'packed-dot': /dot8|^quantize_rows/,
  };
  return MASK_WORDS.filter((word) => signs[word]?.test(kernel));
}

function giveUp({ adapter, driver }: Vetting, { kernel, how }: Failure): never {
  throw new RidgepointError(
    'device',
    words`kernel ${kernel} cannot be used on ${adapter} with driver ${driver} (${how}), and nothing takes its place; install another version of the driver, or choose another adapter with ${option('adapter')}`,
  );
}
