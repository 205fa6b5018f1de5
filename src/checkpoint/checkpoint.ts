import type { TensorDtype } from './convert.js';
import type { StoredQuants } from './quants.js';

/** A tensor as a file says it lies there. */
export interface TensorEntry {
  readonly name: string;
  /** As the file spells it: `F32`, `F16`, `BF16`, `I8`, ... */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, counted from the file's start. */
  readonly begin: number;
  /** One past the last byte. */
  readonly end: number;
}

/** A tensor and the file that holds it. */
export interface TensorInfo extends TensorEntry {
  /** For example `model-00001-of-00002.safetensors`. */
  readonly file: string;
}

/** A tensor whose dtype the engine can use as a weight. */
export interface WeightInfo extends TensorInfo {
  readonly dtype: TensorDtype;
}

/** The tensors of a model, over all its files and whatever the format of those: which there are, and their numbers. */
export interface Checkpoint {
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Bytes of all tensors together. */
  readonly totalBytes: number;
  /**
   * The tensor `name`, if it has this shape and is F32, F16 or BF16, or quantised, which reads as F32.
   *
   * @throws RidgepointError('checkpoint') naming the tensor, what was expected, what was found and in which file
   */
  require(name: string, shape: readonly number[]): WeightInfo;
  /** Fills `into` with the tensor's bytes from `byteOffset` on, counted from the tensor's first byte. */
  readRange(name: string, byteOffset: number, into: Uint8Array): Promise<void>;
  /**
   * The quants behind a tensor, to be asked for once, before its rows are read; undefined for one that holds floats.
   *
   * @throws RidgepointError('checkpoint') naming the tensor whose numbers cannot be true
   */
  quantsOf(name: string): Promise<StoredQuants | undefined>;
  close(): Promise<void>;
}
