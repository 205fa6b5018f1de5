import { join } from 'node:path';
import { cacheFolder } from './own-folder.js';

/** Where `ridgepoint calibrate` and `ridgepoint tune` keep their files: one each for each adapter and driver. */
export function calibrationFolder(): string {
  return join(cacheFolder(), 'calibration');
}

/** What the names of tuned kernels end in, which calibrations' names do not. */
export const TUNING_ENDING = '.tuning.json';

/** The same of what is known of a driver, and of what is being tried on it. */
export const DRIVER_ENDING = '.driver.json';
export const TRYING_ENDING = '.trying.json';
