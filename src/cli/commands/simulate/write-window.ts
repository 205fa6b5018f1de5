import { writeWhole } from '../../../../bench/store.js';
import type { Simulation } from '../../../simulator/outcome.js';
import { chromeTrace, type Window } from './trace-window.js';

/** Writes what lies in the window of a run that kept its steps. */
export const writeWindow = (simulation: Simulation, window: Window): Promise<void> =>
  writeWhole(window.path, `${JSON.stringify(chromeTrace(simulation, window))}\n`);
