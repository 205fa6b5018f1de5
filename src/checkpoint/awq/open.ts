import type { Checkpoint } from '../checkpoint.js';
import { PackedCheckpoint, type PackedRun, type PackedSource, type Packing } from '../packed/checkpoint.js';

/** Where output i of a word's eight lies, in nibbles from the lowest. */
const PLACES = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** Eight outputs of one input share a word. */
function unpack({ matrix, words, scales, row, from, into }: PackedRun): void {
  const { outputs } = matrix;
  const { groupOf, values, zeros } = scales;
  const [width, shift] = [outputs / 8, 4 * PLACES[row & 7]];
  for (let i = 0; i < into.length; i++) {
    const column = from + i;
    const word = words[column * width + (row >> 3)] >>> shift;
    const group = groupOf[column] * outputs + row;
    into[i] = values[group] * ((word & 15) - zeros[group]);
  }
}

const AWQ: Packing = {
  sizes: ([rows, cols], _gIdx, pack) => ({ inputs: rows, outputs: cols * pack }),
  shape: ({ inputs, outputs }, pack) => [inputs, Math.ceil(outputs / pack)],
  zeroPlace: (output) => PLACES[output & 7],
  unpack,
  hasGroupIndex: false,
};

/**
 * Opens the tensors of a checkpoint that AWQ packed.
 *
 * @throws RidgepointError naming the tensor that is missing or misshapen
 */
export function openAwq(source: PackedSource): Checkpoint {
  return new PackedCheckpoint(source, AWQ);
}
