import { calibrationKey } from '../roofline/hardware/calibration-key.js';
import type { Calibration } from '../roofline/hardware/calibration.js';

const KEPT = 'ridgepoint calibration';

type Machine = Pick<Calibration, 'adapter' | 'driver'>;

const keyOf = ({ adapter, driver }: Machine): string => `${KEPT} ${calibrationKey(adapter, driver)}`;

/** What was measured of this GPU in this browser. */
export function keptCalibration(machine: Machine): Calibration | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(machine)) ?? 'null') as Calibration | null;
    // Another version's may lack what this one reads.
    return kept?.version === 1 ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** All that was measured in this browser, of whichever GPU. */
export function keptCalibrations(): Calibration[] {
  try {
    const keys = Object.keys(localStorage).filter((key) => key.startsWith(`${KEPT} `) && !key.endsWith(' name'));
    const kept = keys.map((key) => JSON.parse(localStorage.getItem(key) ?? 'null') as Calibration | null);
    return kept.filter((each): each is Calibration => each?.version === 1);
  } catch {
    return [];
  }
}

/** Keeps what was measured in place of what was kept. */
export function keepCalibration(calibration: Calibration): void {
  try {
    localStorage.setItem(keyOf(calibration), JSON.stringify(calibration));
  } catch {
    // Full or forbidden: it holds until the page is left.
  }
}

/** A name that its owner gave to a GPU, since browsers tell none. */
export function gpuName(machine: Machine, given?: string): string {
  const key = `${keyOf(machine)} name`;
  try {
    if (given !== undefined) localStorage.setItem(key, given);
    return localStorage.getItem(key) ?? '';
  } catch {
    return given ?? '';
  }
}
