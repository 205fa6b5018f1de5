import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RidgepointError } from '../../errors.js';
import { calibrationKey, calibrationSchema, type Calibration } from '../../roofline/hardware/calibration.js';
import { calibrationFolder, DRIVER_ENDING, TRYING_ENDING, TUNING_ENDING } from './calibration-folder.js';
import { readWhole } from './read-whole.js';
import { writeWhole } from './whole-file.js';

export { calibrationFolder };

/**
 * Keeps a calibration for later predictions, in place of an earlier one of the same adapter and driver.
 *
 * @returns the path of the file
 * @throws RidgepointError when it cannot be written
 */
export async function saveCalibration(calibration: Calibration): Promise<string> {
  const path = join(calibrationFolder(), `${calibrationKey(calibration.adapter, calibration.driver)}.json`);
  await writeCalibration(path, calibration);
  return path;
}

/** Writes a calibration to a file of one's choice. @throws RidgepointError when it cannot be written */
export async function writeCalibration(path: string, calibration: Calibration): Promise<void> {
  await writeWhole(path, `${JSON.stringify(calibrationSchema.parse(calibration), null, 2)}\n`);
}

/**
 * Reads a calibration file.
 *
 * @throws RidgepointError when it is absent, no JSON, or of another shape; the message names the field
 */
export async function readCalibration(path: string): Promise<Calibration> {
  let text: string;
  try {
    text = (await readWhole(path)).toString('utf8');
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (cause as Error).message;
    throw new RidgepointError('usage', `${path}: ${why}; "ridgepoint calibrate" writes one`, { cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RidgepointError('usage', `${path}: is not JSON; run "ridgepoint calibrate" again`, { cause });
  }
  const parsed = calibrationSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue.path.length > 0 ? `"${issue.path.join('.')}": ` : '';
  throw new RidgepointError('usage', `${path}: ${field}${issue.message}; run "ridgepoint calibrate" again`);
}

const NOT_CALIBRATIONS = [TUNING_ENDING, DRIVER_ENDING, TRYING_ENDING];

/** All readable calibrations of this machine, the newest first; files of another version are passed over. */
export async function listCalibrations(): Promise<{ path: string; calibration: Calibration }[]> {
  const folder = calibrationFolder();
  const names = await readdir(folder).catch(() => [] as string[]);
  const files = names
    .filter((name) => name.endsWith('.json') && !NOT_CALIBRATIONS.some((ending) => name.endsWith(ending)))
    .map((name) => join(folder, name));
  const read = await Promise.all(
    files.map((path) =>
      readCalibration(path).then(
        (calibration) => ({ path, calibration }),
        () => undefined,
      ),
    ),
  );
  const found = read.filter((each) => each !== undefined);
  return found.sort((a, b) => Date.parse(b.calibration.date) - Date.parse(a.calibration.date));
}

/**
 * The newest calibration of this machine.
 *
 * @param adapter part of an adapter's name, in any case; any adapter when absent
 */
export async function loadCalibration(adapter = ''): Promise<Calibration | undefined> {
  const wanted = adapter.toLowerCase();
  const all = await listCalibrations();
  return all.find(({ calibration }) => calibration.adapter.toLowerCase().includes(wanted))?.calibration;
}
