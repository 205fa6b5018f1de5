import type { PackedFormat } from '../checkpoint/packed/format.js';
import type { StoredDtype } from '../kernels/weights.js';
import type { ActivationDtype } from '../quantization/activations.js';
import { formatName, GROUP_SIZES, quantFormat, type GroupSize } from '../quantization/formats.js';
import type { SavedFormats } from '../quantization/saved.js';
import { option, words } from '../wording.js';
import { checkOption, refuseOption } from './options/check.js';

/** Formats as users name them: `int8` and `int4` take group size and zero points from options of their own. */
export type WeightDtype = StoredDtype | 'int8' | 'int4';

export interface WeightFormatOptions {
  readonly dtype?: WeightDtype | 'auto';
  readonly groupSize?: number;
  readonly zeroPoints?: boolean;
  readonly headDtype?: WeightDtype | 'auto';
}

/** Eight bits are nearly exact whatever the group, and fewer scales are read faster; four are not. */
const DEFAULT_GROUP = { 8: 128, 4: 32 } as const;

/** The format that holds packed quants as they are, whatever their groups: the largest that divides those. */
function storedPacked({ bits, groupSize = 128, actOrder }: PackedFormat): StoredDtype {
  const group = [...GROUP_SIZES].reverse().find((size) => groupSize % size === 0);
  return actOrder || group === undefined ? 'f16' : formatName({ bits, group, symmetric: false });
}

function storedAs(
  name: 'dtype' | 'headDtype',
  value: string | undefined,
  group: GroupSize | undefined,
  symmetric: boolean,
): StoredDtype {
  switch (value) {
    case undefined:
    case 'auto':
      return 'f16';
    case 'f16':
    case 'bf16':
    case 'f32':
      return value;
    case 'int8':
    case 'int4': {
      const bits = value === 'int8' ? 8 : 4;
      return formatName({ bits, group: group ?? DEFAULT_GROUP[bits], symmetric });
    }
  }
  checkOption(name, value);
  return value as StoredDtype;
}

/**
 * The format of weights that were saved in one. Floats may be asked for, which dequantises; another quantised format
 * would round a second time what was rounded once.
 *
 * @param asked as users name it; `stored` is what that comes to where nothing was saved
 * @throws RidgepointError where what is asked for contradicts what was saved
 */
function savedAs(
  saved: StoredDtype,
  name: 'dtype' | 'headDtype',
  stored: StoredDtype,
  options: WeightFormatOptions,
): StoredDtype {
  const asked = options[name];
  const kept = quantFormat(saved);
  if (asked === undefined || asked === 'auto') return saved;
  if (kept === undefined || quantFormat(stored) === undefined || stored === saved) return stored;
  const { groupSize = kept.group, zeroPoints = !kept.symmetric } = options;
  // `int4` alone names whatever was saved in four bits.
  if (asked === `int${kept.bits}` && groupSize === kept.group && zeroPoints === !kept.symmetric) return saved;
  const what = `names ${stored}, but the checkpoint was saved in ${saved}`;
  return refuseOption(name, `${what}; leave it out, or quantise the original again`);
}

/**
 * The formats that options ask for: of the layers' matrices, and of embedding and `lm_head`. Those two stay in f16
 * beside quantised layers, unless asked for otherwise: the head's rounding falls on the logits themselves.
 *
 * @param packed how the checkpoint is quantised, if it is; unasked, layers are kept so
 * @param saved the formats the checkpoint was saved in by `ridgepoint quantize`; unasked, both are kept
 * @throws RidgepointError naming the option
 */
export function weightFormats(
  options: WeightFormatOptions,
  packed?: PackedFormat,
  saved?: SavedFormats,
): { dtype: StoredDtype; head: StoredDtype } {
  const { dtype, groupSize, zeroPoints, headDtype } = options;
  const group = GROUP_SIZES.find((size) => size === groupSize);
  checkOption('groupSize', groupSize);
  const grouped = [dtype, headDtype].some((each) => each === 'int8' || each === 'int4');
  if (!grouped) {
    const misplaced = groupSize !== undefined ? 'groupSize' : zeroPoints ? 'zeroPoints' : undefined;
    const problem = words`is for ${option('dtype')} int8 or int4; leave it out, or ask for one`;
    if (misplaced !== undefined) refuseOption(misplaced, problem);
  }
  const auto = dtype === undefined || dtype === 'auto';
  const stored = auto && packed !== undefined ? storedPacked(packed) : storedAs('dtype', dtype, group, !zeroPoints);
  const own = headDtype !== undefined && headDtype !== 'auto';
  const beside = quantFormat(stored) === undefined ? stored : 'f16';
  const head = own ? storedAs('headDtype', headDtype, group, !zeroPoints) : beside;
  if (saved === undefined) return { dtype: stored, head };
  const layers = savedAs(saved.dtype, 'dtype', stored, options);
  // Layers that are dequantised take embedding and head along.
  const kept = own || quantFormat(layers) !== undefined ? savedAs(saved.head, 'headDtype', head, options) : head;
  return { dtype: layers, head: kept };
}

/**
 * What prompts' projections multiply: activations as they are, or quantised to 8 bits.
 *
 * @param dtype the format of the layers' matrices
 * @throws RidgepointError naming the option where the weights have no 8 bits
 */
export function activationDtype(asked: ActivationDtype | undefined, dtype: StoredDtype): ActivationDtype {
  if (asked === undefined || asked === 'f32') return 'f32';
  checkOption('activations', asked);
  if (quantFormat(dtype)?.bits === 8) return asked;
  const advice = words`ask for ${option('dtype', 'int8')}, or leave it out`;
  return refuseOption('activations', words`in int8 need weights in int8, and these are ${dtype}; ${advice}`);
}
