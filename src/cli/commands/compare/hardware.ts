import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { listCalibrations, readCalibration } from '../../../platform/node/calibration-store.js';
import { hardwareById } from '../../../roofline/hardware/catalogue.js';
import { inCatalogue } from '../../../roofline/hardware/in-catalogue.js';
import { fromCalibration, type Hardware } from '../../../roofline/hardware/hardware.js';
import type { KernelSet } from '../../../roofline/hardware/roof.js';

export interface HardwareFlags {
  readonly calibration?: string;
  readonly hardware?: string;
  readonly kernels?: KernelSet;
}

/**
 * What a result is predicted from: the calibration or catalogue entry asked for; else the calibration of the same
 * adapter and driver; else of the adapter; else the catalogue's entry for it.
 *
 * @throws RidgepointError when there is nothing to predict from
 */
export async function hardwareFor(adapter: string, driver: string, flags: HardwareFlags = {}): Promise<Hardware> {
  if (flags.calibration !== undefined && flags.hardware !== undefined) {
    throw new RidgepointError(
      'usage',
      words`${option('compare.calibration')} and ${option('compare.hardware')} exclude each other`,
    );
  }
  if (flags.calibration !== undefined) return fromCalibration(await readCalibration(flags.calibration));
  if (flags.hardware !== undefined) return hardwareById(flags.hardware);
  const own = (await listCalibrations()).filter(({ calibration }) => calibration.adapter === adapter);
  const found = own.find(({ calibration }) => calibration.driver === driver) ?? own[0];
  if (found !== undefined) return fromCalibration(found.calibration);
  const listed = inCatalogue(adapter);
  if (listed !== undefined) return listed;
  throw new RidgepointError(
    'usage',
    words`there is no calibration of ${adapter} and the catalogue does not list it; run "ridgepoint calibrate", or name one with ${option('compare.calibration')} or ${option('compare.hardware')}`,
  );
}
