import { join } from 'node:path';
import type { TuningStore } from '../../tuning/autotune.js';
import type { TuningFile } from '../../tuning/file.js';
import { calibrationKey } from '../../roofline/hardware/calibration-key.js';
import { calibrationFolder, TUNING_ENDING } from './calibration-folder.js';
import { readWhole } from './read-whole.js';
import { checkWritable, putWhole, writeWhole } from './whole-file.js';

/** Where the chosen kernels of an adapter and driver are kept, beside the calibrations. */
export function tuningPath(adapter: string, driver: string): string {
  return join(calibrationFolder(), `${calibrationKey(adapter, driver)}${TUNING_ENDING}`);
}

/**
 * Node's store; `RIDGEPOINT_TUNING=off` hides what it holds, as tests want. What cannot be read counts as absent: it is
 * only ever a copy of what measuring again would give. The schema's library is loaded only where there is a file, which
 * spares most starts the time.
 */
export const tuningStore: TuningStore = {
  async load(adapter, driver) {
    if (process.env.RIDGEPOINT_TUNING === 'off') return undefined;
    let text: string;
    try {
      text = (await readWhole(tuningPath(adapter, driver))).toString('utf8');
    } catch {
      return undefined;
    }
    const { tuningSchema } = await import('../../tuning/file.js');
    try {
      return tuningSchema.safeParse(JSON.parse(text)).data;
    } catch {
      return undefined; // no JSON
    }
  },

  async save(file) {
    try {
      await putWhole(tuningPath(file.adapter, file.driver), textOf(file));
    } catch {
      // A read-only home: the next run measures again.
    }
  },
};

const textOf = (file: TuningFile): string => `${JSON.stringify(file, null, 1)}\n`;

/**
 * A store for who measures on purpose, which fails where it cannot keep the result.
 *
 * @throws RidgepointError('usage') at once where the file cannot be written
 */
export async function checkedTuningStore(path: string): Promise<TuningStore> {
  await checkWritable(path);
  return {
    load: (adapter, driver) => tuningStore.load(adapter, driver),
    save: (file) => writeWhole(path, textOf(file)),
  };
}
