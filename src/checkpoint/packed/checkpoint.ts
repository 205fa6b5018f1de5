import { RidgepointError } from '../../errors.js';
import type { Checkpoint, TensorInfo, WeightInfo } from '../checkpoint.js';
import type { QuantWindow, StoredQuants } from '../quants.js';
import { printable } from '../source.js';
import type { PackedException, PackedFormat, PackedMatrix } from './format.js';
import { rowScales, unpackScales, type PackedScales } from './scales.js';

/** A run of columns of one output that is to be unpacked. */
export interface PackedRun {
  readonly matrix: PackedMatrix;
  readonly words: Uint32Array;
  readonly scales: PackedScales;
  readonly row: number;
  /** The first column. */
  readonly from: number;
  readonly into: Float32Array;
}

/** How a method puts quants into words. */
export interface Packing {
  /** Sizes of a matrix by the shape of its `qweight` and, where there is one, the length of its `g_idx`. */
  readonly sizes: (qweight: readonly number[], gIdx: number | undefined, pack: number) => MatrixSizes;
  /** The shape of `qweight` by those sizes. */
  readonly shape: (sizes: MatrixSizes, pack: number) => readonly number[];
  /** The place of an output's zero in its word, counted in zeros from the lowest bits. */
  readonly zeroPlace: (output: number, pack: number) => number;
  readonly unpack: (run: PackedRun) => void;
  /** Whether `g_idx` tells the group of an input. */
  readonly hasGroupIndex: boolean;
  /** Reads outputs as they lie, where a format of the engine can take them so and groups are runs. */
  readonly window?: (tensors: Checkpoint, matrix: PackedMatrix, begin: number, end: number) => Promise<QuantWindow>;
}

export interface MatrixSizes {
  readonly inputs: number;
  readonly outputs: number;
}

/** What a packed checkpoint is opened from. */
export interface PackedSource {
  /** The checkpoint that holds the words. */
  readonly tensors: Checkpoint;
  readonly format: PackedFormat;
  /** What is known of a matrix beyond the format of all. */
  readonly exceptions: (weight: string) => PackedException | undefined;
}

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

/** What is read of a matrix is kept for as many as are fused into one: queries, keys and values. */
class Kept<T> {
  static readonly MOST = 3;
  readonly #known = new Map<string, Promise<T>>();

  get(name: string, read: () => Promise<T>): Promise<T> {
    let value = this.#known.get(name);
    if (value === undefined) {
      value = read();
      this.#known.set(name, value);
      const oldest = this.#known.keys().next().value;
      if (this.#known.size > Kept.MOST && oldest !== undefined) this.#known.delete(oldest);
    }
    return value;
  }
}

/**
 * A checkpoint whose packed layers can be asked for as plain matrices `name.weight` [outputs, inputs] of f32. A matrix's
 * words are read whole and kept while its rows are asked for.
 */
export class PackedCheckpoint implements Checkpoint {
  readonly tensors = new Map<string, TensorInfo>();
  readonly totalBytes: number;
  readonly #inner: Checkpoint;
  readonly #packing: Packing;
  readonly #matrices = new Map<string, PackedMatrix>();
  readonly #quants = new Map<string, Promise<StoredQuants>>();
  readonly #words = new Kept<Uint32Array>();
  readonly #scales = new Kept<PackedScales>();

  /** @throws RidgepointError naming the tensor that is missing or misshapen */
  constructor({ tensors, format, exceptions }: PackedSource, packing: Packing) {
    this.#inner = tensors;
    this.#packing = packing;
    this.totalBytes = tensors.totalBytes;
    for (const [name, info] of tensors.tensors) {
      const packed = /^(.*)\.(qweight|qzeros|scales|g_idx)$/.exec(name);
      // A bias of zeros is stored by some packers; one that is not zero is told of when the model has no place for it.
      if (packed === null) this.tensors.set(name, info);
      else if (packed[2] === 'qweight') this.#add(packed[1], info, format, exceptions(`${packed[1]}.weight`));
    }
    if (this.#matrices.size === 0) {
      fail(`config.json says the checkpoint is packed by ${format.method}, but no tensor ends in .qweight`);
    }
  }

  #add(name: string, info: TensorInfo, format: PackedFormat, known: PackedException | undefined): void {
    const { bits, groupSize: asked } = known ?? format;
    const pack = 32 / bits;
    const gIdx = this.#inner.tensors.get(`${name}.g_idx`)?.shape.at(-1);
    const sizes = this.#packing.sizes(info.shape, gIdx, pack);
    const { inputs, outputs } = sizes;
    const groupSize = asked ?? inputs;
    const groups = Math.ceil(inputs / groupSize);
    this.#check(`${name}.qweight`, 'I32', this.#packing.shape(sizes, pack));
    this.#check(`${name}.qzeros`, 'I32', [groups, Math.ceil(outputs / pack)]);
    const stored = this.#inner.tensors.get(`${name}.scales`)?.dtype;
    const scaleDtype = stored === 'BF16' || stored === 'F32' ? stored : 'F16';
    this.#check(`${name}.scales`, scaleDtype, [groups, outputs]);
    if (gIdx !== undefined) this.#check(`${name}.g_idx`, 'I32', [inputs]);
    const { zeroOffset } = format;
    const symmetric = known?.symmetric;
    const weight = `${name}.weight`;
    this.#matrices.set(weight, {
      ...{ name, inputs, outputs, groups, bits, groupSize },
      ...{ symmetric, zeroOffset, scaleDtype },
    });
    const lies = { dtype: 'F32', begin: 0, end: 4 * inputs * outputs, file: info.file };
    this.tensors.set(weight, { name: weight, shape: [outputs, inputs], ...lies });
  }

  #check(name: string, dtype: string, shape: readonly number[]): void {
    const info = this.#inner.tensors.get(name);
    const expected = `[${shape.join(', ')}] ${dtype}`;
    if (info === undefined) fail(`${printable(name)}: expected ${expected}, found no tensor of that name`);
    const found = `[${info.shape.join(', ')}] ${info.dtype}`;
    if (found !== expected) fail(`${printable(name)}: expected ${expected}, found ${printable(found)} in ${info.file}`);
  }

  require(name: string, shape: readonly number[]): WeightInfo {
    const info = this.tensors.get(name);
    if (!this.#matrices.has(name) || info === undefined) return this.#inner.require(name, shape);
    if (info.shape.join() !== shape.join()) {
      fail(`${name}: expected [${shape.join(', ')}], found [${info.shape.join(', ')}] packed in ${info.file}`);
    }
    return { ...info, dtype: 'F32' };
  }

  async readRange(name: string, byteOffset: number, into: Uint8Array): Promise<void> {
    const matrix = this.#matrices.get(name);
    if (matrix === undefined) return this.#inner.readRange(name, byteOffset, into);
    const [words, scales] = await Promise.all([this.#wordsOf(matrix), this.#scalesOf(matrix)]);
    const values = new Float32Array(into.buffer as ArrayBuffer, into.byteOffset, into.length / 4);
    const { inputs } = matrix;
    const first = byteOffset / 4;
    for (let i = 0; i < values.length;) {
      const row = Math.floor((first + i) / inputs);
      const from = (first + i) % inputs;
      const count = Math.min(inputs - from, values.length - i);
      this.#packing.unpack({ matrix, words, scales, row, from, into: values.subarray(i, i + count) });
      i += count;
    }
  }

  quantsOf(weight: string): Promise<StoredQuants | undefined> {
    const matrix = this.#matrices.get(weight);
    if (matrix === undefined) return Promise.resolve(undefined);
    let quants = this.#quants.get(weight);
    if (quants === undefined) this.#quants.set(weight, (quants = this.#openQuants(matrix)));
    return quants;
  }

  async #openQuants(matrix: PackedMatrix): Promise<StoredQuants> {
    const { inputs, outputs, bits, groupSize, symmetric = false } = matrix;
    const groupOf = await this.#groupsOf(matrix);
    const groupsAreRuns = groupOf.every((group, input) => group === Math.floor(input / groupSize));
    const { window } = this.#packing;
    return {
      ...{ inputs, outputs, bits, groupSize, symmetric, groupsAreRuns },
      scales: async () => rowScales(matrix, await this.#scalesOf(matrix)),
      ...(window && groupsAreRuns && { window: (begin, end) => window(this.#inner, matrix, begin, end) }),
    };
  }

  async #read(name: string): Promise<ArrayBuffer> {
    const { begin, end } = this.#inner.tensors.get(name)!;
    const bytes = new Uint8Array(end - begin);
    await this.#inner.readRange(name, 0, bytes);
    return bytes.buffer;
  }

  #wordsOf({ name }: PackedMatrix): Promise<Uint32Array> {
    return this.#words.get(name, async () => new Uint32Array(await this.#read(`${name}.qweight`)));
  }

  #scalesOf(matrix: PackedMatrix): Promise<PackedScales> {
    const { name, bits } = matrix;
    return this.#scales.get(name, async () => {
      const [scales, zeros, groupOf] = await Promise.all([
        this.#read(`${name}.scales`),
        this.#read(`${name}.qzeros`),
        this.#groupsOf(matrix),
      ]);
      return unpackScales(matrix, { scales, zeros, groupOf }, (output) => this.#packing.zeroPlace(output, 32 / bits));
    });
  }

  /** The group of each input. */
  async #groupsOf({ name, inputs, groups, groupSize }: PackedMatrix): Promise<Uint32Array> {
    const index = `${name}.g_idx`;
    if (!this.#packing.hasGroupIndex || !this.#inner.tensors.has(index)) {
      return Uint32Array.from({ length: inputs }, (_, i) => Math.floor(i / groupSize));
    }
    const groupOf = new Uint32Array(await this.#read(index));
    const wrong = groupOf.findIndex((group) => group >= groups);
    if (wrong < 0) return groupOf;
    return fail(`${index}: input ${wrong} is in group ${groupOf[wrong] | 0} of ${groups}; the file is damaged`);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
