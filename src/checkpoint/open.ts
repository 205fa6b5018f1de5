import { openAwq } from './awq/open.js';
import type { Checkpoint } from './checkpoint.js';
import { openGptq } from './gptq/open.js';
import type { PackedSource } from './packed/checkpoint.js';
import { openSafetensors } from './safetensors/open.js';
import type { ModelFolder } from './source.js';

/** What a checkpoint is packed by, and what is known of its matrices beyond that. */
export interface Packed extends Pick<PackedSource, 'format'>, Partial<Pick<PackedSource, 'exceptions'>> {}

const METHODS = { gptq: openGptq, awq: openAwq };

/**
 * Opens a model's checkpoint, whatever its format.
 *
 * @param packed how the words of quantised layers are to be read; undefined for one of floats
 * @throws RidgepointError('checkpoint') naming the file or tensor that is missing, damaged or misshapen
 */
export async function openCheckpoint(folder: ModelFolder, packed?: Packed): Promise<Checkpoint> {
  const tensors = await openSafetensors(folder);
  if (packed === undefined) return tensors;
  const { format, exceptions = () => undefined } = packed;
  try {
    return METHODS[format.method]({ tensors, format, exceptions });
  } catch (error) {
    await tensors.close();
    throw error;
  }
}
