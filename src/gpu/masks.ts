import { RidgepointError } from '../errors.js';
import type { Capabilities } from './capabilities.js';

/** What an adapter loses by a word; what stands on it goes with it. */
const MASKS = {
  'subgroup-matrix': { subgroupMatrixConfigs: [] },
  f16: { f16: false },
  subgroups: {
    subgroups: false,
    subgroupId: false,
    subgroupMinSize: 0,
    subgroupMaxSize: 0,
    subgroupSizeControl: false,
    subgroupMatrixConfigs: [],
  },
  'subgroup-id': { subgroupId: false },
  'subgroup-size-control': { subgroupSizeControl: false },
  'packed-dot': { packedDot: false },
  timestamps: { timestamps: false },
  immediates: { immediateBytes: 0 },
} satisfies Record<string, Partial<Capabilities>>;

/** A capability that can be masked: the engine then does as if the adapter did not have it. */
export type Mask = keyof typeof MASKS;

export const MASK_WORDS = Object.keys(MASKS) as Mask[];

/** Whether an adapter has what a word stands for. */
export function has(capabilities: Capabilities, word: Mask): boolean {
  switch (word) {
    case 'subgroup-matrix':
      return capabilities.subgroupMatrixConfigs.length > 0;
    case 'f16':
      return capabilities.f16;
    case 'subgroups':
      return capabilities.subgroups;
    case 'subgroup-id':
      return capabilities.subgroupId;
    case 'subgroup-size-control':
      return capabilities.subgroupSizeControl;
    case 'packed-dot':
      return capabilities.packedDot;
    case 'timestamps':
      return capabilities.timestamps;
    case 'immediates':
      return capabilities.immediateBytes > 0;
  }
}

/** Features that a device is not even opened with. */
const FEATURES: Partial<Record<Mask, readonly string[]>> = {
  'subgroup-matrix': ['chromium-experimental-subgroup-matrix'],
  f16: ['shader-f16'],
  subgroups: ['subgroups', 'subgroup-size-control', 'chromium-experimental-subgroup-matrix'],
  'subgroup-size-control': ['subgroup-size-control'],
  timestamps: ['timestamp-query'],
};

/**
 * Reads a list such as `subgroup-matrix,f16`; blanks and empty parts do not matter.
 *
 * @param from where the list stands, for the message
 * @throws RidgepointError for a word that is none, with those there are
 */
export function parseMasks(text: string, from: string): Mask[] {
  const words = text
    .split(',')
    .map((word) => word.trim().toLowerCase())
    .filter((word) => word !== '');
  const unknown = words.find((word) => !(MASK_WORDS as string[]).includes(word));
  if (unknown !== undefined) {
    throw new RidgepointError(
      'usage',
      `${from}: "${unknown}" is no capability; take some of ${MASK_WORDS.join(', ')}, with commas between`,
    );
  }
  return MASK_WORDS.filter((word) => words.includes(word));
}

/** Capabilities without those masked. */
export function masked(capabilities: Capabilities, masks: readonly Mask[]): Capabilities {
  const disabled = MASK_WORDS.filter((word) => capabilities.disabled.includes(word) || masks.includes(word));
  return Object.assign({ ...capabilities }, ...disabled.map((word) => MASKS[word]), { disabled }) as Capabilities;
}

/** Whether masks leave a device without a feature. */
export const masksFeature = (masks: readonly Mask[], feature: string): boolean =>
  masks.some((word) => FEATURES[word]?.includes(feature));
