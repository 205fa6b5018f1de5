import type { DriverHost } from '../../engine/drivers/prepare.js';
import { loadDriver, noteTrying, saveDriver } from './driver-store.js';
import { runTrial } from './trial-child.js';

/** Whether a variable turns something off. */
const isOff = (name: string): boolean => process.env[name] === 'off';

/** A driver that compiles or runs one kernel for longer hangs. */
const PATIENCE_SECONDS = 120;
const patienceMs = (): number => 1000 * (Number(process.env.RIDGEPOINT_PROBE) || PATIENCE_SECONDS);

/**
 * What Node does for drivers that nobody knows yet. `RIDGEPOINT_PROBE=off` takes every driver as it is, and a number
 * says after how many seconds without a sign one counts as hung; `RIDGEPOINT_CHECKS=off` does not look at results, for a driver that computes none.
 */
export const drivers: DriverHost = {
  check: !isOff('RIDGEPOINT_CHECKS'),
  load: loadDriver,
  save: saveDriver,
  noteTrying,
  run: isOff('RIDGEPOINT_PROBE')
    ? undefined
    : (request, onTuning) =>
        // A store that shows nothing would have everything measured twice.
        runTrial(isOff('RIDGEPOINT_TUNING') ? { ...request, tuneMs: undefined } : request, onTuning, patienceMs()),
};
