import { writeWhole } from '../../../../bench/store.js';
import { chromeTrace, type DrawnRun, type Window } from './trace-window.js';

/** Writes what lies in the window of runs that kept their steps. */
export const writeWindow = (runs: readonly DrawnRun[], window: Window): Promise<void> =>
  writeWhole(window.path, `${JSON.stringify(chromeTrace(runs, window))}\n`);
