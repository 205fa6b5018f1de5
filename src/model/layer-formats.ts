import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { StoredDtype } from '../kernels/weights.js';
import { formatName, GROUP_SIZES, quantFormat } from '../quantization/formats.js';
import type { ModelConfig } from './config.js';
import { modelMatrices, storedVocabulary } from './matrices.js';
import { matrixName } from './matrix-names.js';

/** Formats of single matrices of layers, by the names of `modelMatrices`. */
export type LayerFormats = ReadonlyMap<string, StoredDtype>;

/** Layers of which no two have the same formats, for whoever wants each kernel of a model once. */
export interface DistinctLayers {
  /** How many there are. */
  readonly layers: number;
  /** Their formats, under the names of so many first layers. */
  readonly formats: readonly (readonly [string, StoredDtype])[];
}

/** @param layers of the model, whose formats are given where they are not the common one */
export function distinctLayers(layers: number, formats: LayerFormats): DistinctLayers {
  const kinds = new Map<string, readonly (readonly [string, StoredDtype])[]>();
  const own = new Map<number, [string, StoredDtype][]>();
  for (const [name, dtype] of formats) {
    const [, layer, part] = /^model\.layers\.(\d+)\.(.*)$/.exec(name)!;
    own.set(Number(layer), [...(own.get(Number(layer)) ?? []), [part, dtype]]);
  }
  for (let layer = 0; layer < layers; layer++) {
    const parts = own.get(layer) ?? [];
    kinds.set(parts.map((part) => part.join(' ')).join(), parts);
  }
  const named = [...kinds.values()].flatMap((parts, i) =>
    parts.map(([part, dtype]) => [matrixName(i, part), dtype] as const),
  );
  return { layers: kinds.size, formats: named };
}

/**
 * The matrices of a packed checkpoint that its common format does not fit: those left in full precision stay so, and
 * those packed in other bits or groups are kept in their own. Where parts of one matrix differ, or groups turn out not
 * to be runs of columns, it is kept in f16: quantising it again would add a second error to the first.
 *
 * @param dtype the format of all others
 * @throws RidgepointError naming the tensor whose groups cannot be true
 */
export async function layerFormats(
  config: ModelConfig,
  checkpoint: Checkpoint,
  dtype: StoredDtype,
): Promise<LayerFormats> {
  const formats = new Map<string, StoredDtype>();
  const common = quantFormat(dtype);
  if (common === undefined) return formats;
  for (const { kind, source } of modelMatrices(config, storedVocabulary(config, checkpoint))) {
    if (kind !== 'layer') continue;
    const parts = await Promise.all(source.parts.map(({ tensor }) => checkpoint.quantsOf(tensor)));
    if (parts.some((part) => part?.groupsAreRuns === false)) {
      formats.set(source.name, 'f16');
      continue;
    }
    const fits = parts.every((part) => part?.bits === common.bits && part.groupSize % common.group === 0);
    const whole = parts.every((part) => part?.bits === common.bits && part.groupSize >= source.cols);
    if (fits || whole) continue;
    const [first] = parts;
    const alike = first && parts.every((part) => part?.bits === first.bits && part.groupSize === first.groupSize);
    const group = [...GROUP_SIZES].reverse().find((size) => (first?.groupSize ?? 0) % size === 0);
    const kept = alike && group !== undefined ? formatName({ bits: first.bits, group, symmetric: false }) : 'f16';
    formats.set(source.name, kept);
  }
  return formats;
}
