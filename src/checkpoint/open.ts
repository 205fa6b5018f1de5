import type { Checkpoint } from './checkpoint.js';
import type { PackedSource } from './packed/checkpoint.js';
import { openSafetensors } from './safetensors/open.js';
import type { ModelFolder } from './source.js';

/** What a checkpoint is packed by, and what is known of its matrices beyond that. */
export interface Packed extends Pick<PackedSource, 'format'>, Partial<Pick<PackedSource, 'exceptions'>> {}

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
    // A browser fetches this code with the first checkpoint that needs it.
    const { openPacked } = await import('./packed/open.js');
    return openPacked({ tensors, format, exceptions });
  } catch (error) {
    await tensors.close();
    throw error;
  }
}
