import { RidgepointError } from '../errors.js';
import type { StoredDtype } from '../kernels/weights.js';
import { formatName, GROUP_SIZES, quantFormat, type GroupSize } from '../quantization/formats.js';

/** Formats as users name them: `int8` and `int4` take group size and zero points from options of their own. */
export type WeightDtype = StoredDtype | 'int8' | 'int4';

export const FLOAT_DTYPES = ['f16', 'bf16', 'f32'] as const;
/** What `dtype` may be, the formats that spell out their groups left out. */
export const WEIGHT_DTYPES = ['auto', ...FLOAT_DTYPES, 'int8', 'int4'] as const;

export interface WeightFormatOptions {
  readonly dtype?: WeightDtype | 'auto';
  readonly groupSize?: number;
  readonly zeroPoints?: boolean;
  readonly headDtype?: WeightDtype | 'auto';
}

const DEFAULT_GROUP: GroupSize = 32;

function fail(message: string): never {
  throw new RidgepointError('usage', message);
}

function storedAs(name: string, value: string | undefined, group: GroupSize, symmetric: boolean): StoredDtype {
  switch (value) {
    case undefined:
    case 'auto':
      return 'f16';
    case 'f16':
    case 'bf16':
    case 'f32':
      return value;
    case 'int8':
    case 'int4':
      return formatName({ bits: value === 'int8' ? 8 : 4, group, symmetric });
  }
  if (quantFormat(value) !== undefined) return value as StoredDtype;
  return fail(`${name} must be one of ${WEIGHT_DTYPES.join(', ')}, found ${value}`);
}

/**
 * The formats that options ask for: of the layers' matrices, and of embedding and `lm_head`. Those two stay in f16
 * beside quantised layers, unless asked for otherwise: the head's rounding falls on the logits themselves.
 *
 * @throws RidgepointError naming the option
 */
export function weightFormats(options: WeightFormatOptions): { dtype: StoredDtype; head: StoredDtype } {
  const { dtype, groupSize, zeroPoints, headDtype } = options;
  const group = groupSize === undefined ? DEFAULT_GROUP : GROUP_SIZES.find((size) => size === groupSize);
  if (group === undefined) fail(`groupSize must be one of ${GROUP_SIZES.join(', ')}, found ${groupSize}`);
  const grouped = [dtype, headDtype].some((each) => each === 'int8' || each === 'int4');
  if (!grouped && groupSize !== undefined) fail('groupSize is for dtype int8 or int4; leave it out, or ask for one');
  if (!grouped && zeroPoints) fail('zeroPoints is for dtype int8 or int4; leave it out, or ask for one');
  const stored = storedAs('dtype', dtype, group, !zeroPoints);
  const own = headDtype !== undefined && headDtype !== 'auto';
  const beside = quantFormat(stored) === undefined ? stored : 'f16';
  return { dtype: stored, head: own ? storedAs('headDtype', headDtype, group, !zeroPoints) : beside };
}
