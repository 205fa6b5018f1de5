import { RidgepointError } from '../../errors.js';
import type { FamilyConfig, Json } from './family.js';

/**
 * The window of attention, and the layers that have it, as transformers reads them.
 *
 * @param size `sliding_window`; null for none
 * @param usual whether a layer has it where `layer_types` does not say
 * @throws RidgepointError naming the key that is malformed
 */
export function readWindow(
  config: Json,
  size: unknown,
  usual: (layer: number) => boolean,
  layers: number,
  file: string,
): FamilyConfig {
  const fail = (key: string, expected: string): never => {
    const found = JSON.stringify(config[key]);
    throw new RidgepointError('checkpoint', `${file}: "${key}" must be ${expected}, found ${found}`);
  };
  const types = config['layer_types'] ?? undefined;
  const known: unknown[] = ['full_attention', 'sliding_attention'];
  if (
    types !== undefined &&
    !(Array.isArray(types) && types.length === layers && types.every((t) => known.includes(t)))
  ) {
    fail('layer_types', `"full_attention" or "sliding_attention" for each of ${layers} layers`);
  }
  const windowed = Array.from({ length: layers }, (_, i) =>
    types === undefined ? usual(i) : (types as string[])[i] === 'sliding_attention',
  );
  if (!windowed.includes(true)) return {};
  if (size === null || size === undefined) {
    return types === undefined ? {} : fail('sliding_window', 'a number, since "layer_types" names sliding attention');
  }
  if (typeof size !== 'number' || !Number.isInteger(size) || size <= 0) {
    return fail('sliding_window', 'null or a positive whole number');
  }
  // What sees all that a sequence can have sees all.
  if (size >= Number(config['max_position_embeddings'])) return {};
  return { window: size, ...(windowed.includes(false) && { windowed }) };
}
