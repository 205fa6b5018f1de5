import type { Checkpoint } from '../checkpoint.js';
import { PackedCheckpoint, type PackedRun, type PackedSource, type Packing } from '../packed/checkpoint.js';
import { dynamicException } from './dynamic.js';
import { readQuantWindow } from './window.js';

/** Consecutive inputs of one output share a word; words of neighbouring outputs are neighbours. */
function unpack({ matrix, words, scales, row, from, into }: PackedRun): void {
  const { outputs, bits } = matrix;
  const { groupOf, values, zeros } = scales;
  const pack = 32 / bits;
  const mask = 2 ** bits - 1;
  for (let i = 0; i < into.length; i++) {
    const column = from + i;
    const word = words[Math.floor(column / pack) * outputs + row] >>> (bits * (column % pack));
    const group = groupOf[column] * outputs + row;
    into[i] = values[group] * ((word & mask) - zeros[group]);
  }
}

const GPTQ: Packing = {
  sizes: ([rows, cols], gIdx, pack) => ({ inputs: gIdx ?? rows * pack, outputs: cols }),
  shape: ({ inputs, outputs }, pack) => [Math.ceil(inputs / pack), outputs],
  zeroPlace: (output, pack) => output % pack,
  unpack,
  hasGroupIndex: true,
  window: readQuantWindow,
};

/**
 * Opens the tensors of a checkpoint that GPTQ packed.
 *
 * @throws RidgepointError naming the tensor that is missing or misshapen
 */
export function openGptq({ tensors, format, exceptions }: PackedSource): Checkpoint {
  const known: PackedSource['exceptions'] = (weight) => exceptions(weight) ?? dynamicException(format, weight);
  return new PackedCheckpoint({ tensors, format, exceptions: known }, GPTQ);
}
