import { PACE_PARTS, type PacePart } from '../../src/roofline/hardware/pace.js';
import { quantile } from '../../src/statistics.js';

/**
 * What stands for the samples of a point. What other programs and other guests of the host take away from the cores
 * comes in bursts that nothing about the model could predict, and only ever adds; so the lower decile is what is
 * compared and what a calibration is fitted to, and the median, in which company shows, stands beside it in results.
 */
export const STATISTICS = ['decile', 'median', 'fastest'] as const;
export type Statistic = (typeof STATISTICS)[number];
export const DEFAULT_STATISTIC: Statistic = 'decile';

const SHARE: Record<Statistic, number> = { decile: 0.1, median: 0.5, fastest: 0 };

/** For texts: `the lower decile of the repetitions`. */
export const IN_WORDS: Record<Statistic, string> = {
  decile: 'lower decile',
  median: 'median',
  fastest: 'fastest',
};

export const represent = (samples: readonly number[], statistic: Statistic): number =>
  quantile(
    [...samples].sort((a, b) => a - b),
    SHARE[statistic],
  );

/** How strongly each fixed kernel is felt: where one takes f times as long, time takes f to the power of its exponent. */
export type Exponents = Readonly<Record<PacePart, number>>;

/** Steps that feel the pace alike. */
export type PacedPhase = 'prompts' | 'tokens';

/** The pace that measurements are brought to: milliseconds of the fixed kernels, and how strongly they are felt. */
export interface ReferencePace {
  readonly ms: Readonly<Record<PacePart, number>>;
  readonly felt: Readonly<Record<PacedPhase, Exponents>>;
}

/** Of a duration, which phase it is of, and which share of it is work. The rest is launches, and waiting for them. */
export interface PacedPart {
  readonly phase: PacedPhase;
  readonly work: number;
}

/**
 * Launches get slower with work, to this power of it, and by up to so much more or less in one process than in another,
 * which no step is longer or shorter for (docs/performance.md): where the threads of a device came to lie, and those of
 * another lie elsewhere.
 */
const LAUNCHES = { withWork: 0.4, ofProcess: 1.35 } as const;

/** How much longer launches take than at the reference pace, as far as it is the host that makes it so. */
function launchesSlower(launch: number, compute: number): number {
  const usual = compute ** LAUNCHES.withWork;
  const beyond = launch / usual;
  return usual * (beyond > 1 ? Math.max(1, beyond / LAUNCHES.ofProcess) : Math.min(1, beyond * LAUNCHES.ofProcess));
}

/**
 * What stands for samples brought to a pace: each is divided by how much longer it took than it would have then, which is
 * reckoned from what fixed kernels took just before and after it. That takes away what others did, which only ever adds,
 * and leaves the kernel's own noise, which does not: the median counts. Undefined where the pace is not known of each
 * sample.
 *
 * @param paces milliseconds of the fixed kernels beside each sample
 */
export function broughtToPace(
  samples: readonly number[],
  paces: Readonly<Record<PacePart, readonly number[]>> | undefined,
  reference: ReferencePace | undefined,
  { phase, work }: PacedPart,
): number | undefined {
  if (reference === undefined || paces?.compute.length !== samples.length) return undefined;
  const { ms, felt } = reference;
  const longer = (at: number): number => {
    const [compute, memory, launch] = PACE_PARTS.map((part) => paces[part][at] / ms[part]);
    const { compute: c, memory: m, launch: l } = felt[phase];
    return work * compute ** c * memory ** m + (1 - work) * launchesSlower(launch, compute) ** l;
  };
  return represent(
    samples.map((sample, at) => sample / longer(at)),
    'median',
  );
}
