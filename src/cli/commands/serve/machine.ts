import type { TextEngine } from '../../../engine/api.js';
import { listCalibrations, readCalibration } from '../../../platform/node/calibration-store.js';
import { fromCalibration } from '../../../roofline/hardware/hardware.js';
import { KV_DTYPES, weightDtype } from '../../../roofline/hardware/precision.js';
import { familyModel } from '../../../roofline/models/models.js';
import { Predictor } from '../../../roofline/predict/predictor.js';
import { shapeOfLoad } from '../../../outlook/prices.js';
import type { Machine } from '../../../serving/outlook/machine.js';
import { PredictedPrice } from '../../../simulator/price/predicted.js';

/**
 * What a calibration says of the machine an engine runs on: the file that is named, else the one of the same adapter
 * and driver. Nothing where there is none.
 *
 * @throws RidgepointError for a file that cannot be read
 */
export async function servingMachine(
  { info, config }: Pick<TextEngine, 'info' | 'config'>,
  file: string | undefined,
): Promise<Machine> {
  const known = file === undefined ? (await listCalibrations()).map(({ calibration }) => calibration) : [];
  const calibration =
    file === undefined
      ? known.find(({ adapter, driver }) => adapter === info.adapter && driver === info.driver)
      : await readCalibration(file);
  const weights = weightDtype(info.dtype);
  const kv = KV_DTYPES.find((dtype) => dtype === info.kvDtype);
  if (calibration === undefined || weights === undefined || kv === undefined) return {};
  const hardware = fromCalibration(calibration);
  const predictor = new Predictor(familyModel(info.model, config), hardware, {
    ...{ weights, kv, head: weightDtype(info.headDtype), activations: info.activations },
    prefillChunk: info.prefillChunk,
  });
  return {
    price: new PredictedPrice(predictor),
    roof: {
      bytesPerSecond: hardware.bandwidth,
      flopsPerSecond: Math.max(hardware.shader.f32, hardware.shader.f16, hardware.dense.f16 ?? 0),
    },
    work: (load) => {
      let [flops, bytes] = [0, 0];
      for (const { operation, count } of predictor.parts(shapeOfLoad(load))) {
        flops += count * operation.flops;
        const { weightBytes, activationBytes, kvReadBytes, kvWriteBytes } = operation;
        bytes += count * (weightBytes + activationBytes + kvReadBytes + kvWriteBytes);
      }
      return { flops, bytes };
    },
  };
}
