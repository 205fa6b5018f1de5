import { stopSignal } from '../../run.js';
import { simulatePatiently } from './patient.js';
import type { StudyPoint } from './study.js';
import { pointRun } from './sweep-point.js';
import type { DrawnRun, Window } from './trace-window.js';
import { writeWindow } from './write-window.js';

/** How a value of a point is called where people read it. */
export const settingName = (name: string): string => name.replace(/^(cluster|load)\.(pools\.)?/, '');

/**
 * Runs points once more, keeping their steps, and writes what lies in the window, each under its settings.
 *
 * @returns how many there are in it: fewer than asked for where somebody asked to stop
 */
export async function drawPoints(points: readonly StudyPoint[], path: string, window: Window): Promise<number> {
  const drawn: DrawnRun[] = [];
  for (const point of points) {
    if (stopSignal.aborted) break;
    const { built, requests, seed } = await pointRun({ point, path });
    const simulation = await simulatePatiently(built.cluster, requests, { seed, keepTokens: false, keepSteps: true });
    const name = point.settings.map((setting) => `${settingName(setting.name)} ${setting.value}`).join(', ');
    drawn.push({ simulation, ...(name !== '' && { name }) });
  }
  await writeWindow(drawn, window);
  return drawn.length;
}
