import type { Calibration } from './calibration.js';
import type { Efficiencies, Hardware } from './hardware.js';
import { KERNEL_FAMILIES } from './families.js';

/** What a step consists of, each with a fixed kernel that tells how much of it the machine has at a moment. */
export const PACE_PARTS = ['compute', 'memory', 'launch'] as const;
export type PacePart = (typeof PACE_PARTS)[number];

/** Milliseconds of the fixed kernels when the machine was calibrated. */
export type Pace = NonNullable<Calibration['pace']>;

/** How many times as long each of them takes as it did then. */
export type PaceRatios = Readonly<Record<PacePart, number>>;

/**
 * The machine as it is when its fixed kernels take so many times as long as when it was calibrated: fewer operations and
 * bytes a second, longer launches and longer ways to the host and back. The shares of the ceilings that kernels reach
 * stay what they were.
 */
export function atPace(hardware: Hardware, { compute, memory, launch }: PaceRatios): Hardware {
  const slower = <Rates extends object>(rates: Rates): Rates =>
    Object.fromEntries(
      Object.entries(rates).map(([name, rate]) => [name, rate === undefined ? undefined : (rate as number) / compute]),
    ) as Rates;
  const { host, efficiencies } = hardware;
  return {
    ...hardware,
    dense: slower(hardware.dense),
    shader: slower(hardware.shader),
    bandwidth: hardware.bandwidth / memory,
    ...(efficiencies && { efficiencies: launchedAt(efficiencies, launch) }),
    ...(host && {
      host: {
        ...host,
        recordSeconds: launch * host.recordSeconds,
        roundTripSeconds: launch * host.roundTripSeconds,
        launchSeconds: launch * host.launchSeconds,
        ...(host.profiledSeconds !== undefined && { profiledSeconds: launch * host.profiledSeconds }),
        ...(host.steps && { steps: stepsAt(host.steps, launch) }),
      },
    }),
  };
}

function launchedAt(efficiencies: Partial<Efficiencies>, launch: number): Partial<Efficiencies> {
  return Object.fromEntries(
    KERNEL_FAMILIES.flatMap((family) => {
      const known = efficiencies[family];
      return known === undefined ? [] : [[family, { ...known, launchSeconds: launch * known.launchSeconds }]];
    }),
  );
}

type Steps = NonNullable<NonNullable<Hardware['host']>['steps']>;

const stepsAt = (steps: Steps, launch: number): Steps =>
  Object.fromEntries(
    Object.entries(steps).map(([kind, { stretch, seconds, rowSeconds }]) => [
      kind,
      { stretch, seconds: launch * seconds, rowSeconds: launch * rowSeconds },
    ]),
  );
