import { RidgepointError } from '../errors.js';
import type { Checkpoint, TensorInfo, WeightInfo } from './checkpoint.js';
import { f16ToF32, f32Value } from './float.js';
import { dynamicException, type PackedException, type PackedFormat } from './packed-format.js';
import { halfScales, readWindow, type PackedRows, type PackedWindow, type ScaleDtype } from './packed-rows.js';
import { printable } from './source.js';

export { packedFormat, type PackedException, type PackedFormat } from './packed-format.js';

/** Where AWQ keeps output i of a word's eight, in nibbles from the lowest. */
const AWQ_PLACES = [0, 4, 1, 5, 2, 6, 3, 7] as const;

function fail(message: string): never {
  throw new RidgepointError('checkpoint', message);
}

/** Scale and zero of an output's columns. */
export interface RowScales {
  /** f16 bits of the scale, and the zero, of a column of an output. */
  at(row: number, column: number): { readonly scale: number; readonly zero: number };
  /** Whether columns from `begin` to `end` share a scale in every row. */
  uniform(begin: number, end: number): boolean;
}

/** A checkpoint whose packed layers can be asked for as plain matrices `name.weight` [outputs, inputs] of f32. */
export interface PackedCheckpoint extends Checkpoint {
  readonly format: PackedFormat;
  /** What the quants of a packed matrix are scaled by; undefined for a matrix that is not packed. */
  scalesOf(weight: string): Promise<RowScales | undefined>;
  /** Bits and group of a packed matrix; undefined for one that is not packed. */
  packedAs(weight: string): Pick<PackedException, 'bits' | 'groupSize'> | undefined;
  /** Whether the groups of a packed matrix are runs of columns, which act-order mixes; undefined for one that is not packed. */
  groupsAreRuns(weight: string): Promise<boolean | undefined>;
  /**
   * The quants of a matrix as they lie, where GPTQ packed them and groups are runs of columns; else undefined.
   *
   * @throws RidgepointError naming the tensor whose numbers cannot be true
   */
  rowsOf(weight: string): Promise<PackedRows | undefined>;
}

export function isPacked(checkpoint: Checkpoint): checkpoint is PackedCheckpoint {
  return 'scalesOf' in checkpoint;
}

interface Layer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
  readonly groups: number;
  readonly bits: 4 | 8;
  /** Inputs that share a scale. */
  readonly groupSize: number;
  readonly symmetric: boolean | undefined;
  readonly scaleDtype: ScaleDtype;
}

/** Packed words are kept for as many matrices as are fused into one: queries, keys and values. */
const KEPT = 3;

class UnpackedCheckpoint implements PackedCheckpoint {
  readonly tensors = new Map<string, TensorInfo>();
  readonly totalBytes: number;
  readonly #layers = new Map<string, Layer>();
  readonly #words = new Map<string, Promise<Uint32Array>>();
  readonly #scales = new Map<string, Promise<Scales>>();

  constructor(
    private readonly inner: Checkpoint,
    readonly format: PackedFormat,
    private readonly exceptions: (weight: string) => PackedException | undefined,
  ) {
    this.totalBytes = inner.totalBytes;
    for (const [name, info] of inner.tensors) {
      const packed = /^(.*)\.(qweight|qzeros|scales|g_idx)$/.exec(name);
      // A bias of zeros is stored by some packers; one that is not zero is told of when the model has no place for it.
      if (packed === null) this.tensors.set(name, info);
      else if (packed[2] === 'qweight') this.#addLayer(packed[1], info);
    }
    if (this.#layers.size === 0) {
      fail(`config.json says the checkpoint is packed by ${format.method}, but no tensor ends in .qweight`);
    }
  }

  #addLayer(name: string, info: TensorInfo): void {
    const { method } = this.format;
    const known = this.exceptions(`${name}.weight`) ?? dynamicException(this.format, `${name}.weight`);
    const { bits, groupSize: asked } = known ?? this.format;
    const pack = 32 / bits;
    const [rows, cols] = info.shape;
    const sizeOf = (tensor: string): number | undefined => this.inner.tensors.get(`${name}.${tensor}`)?.shape.at(-1);
    const inputs = method === 'gptq' ? (sizeOf('g_idx') ?? rows * pack) : rows;
    const outputs = method === 'gptq' ? cols : cols * pack;
    const groupSize = asked ?? inputs;
    const groups = Math.ceil(inputs / groupSize);
    const words = (count: number): number => Math.ceil(count / pack);
    this.#check(`${name}.qweight`, 'I32', method === 'gptq' ? [words(inputs), outputs] : [inputs, words(outputs)]);
    this.#check(`${name}.qzeros`, 'I32', [groups, words(outputs)]);
    const stored = this.inner.tensors.get(`${name}.scales`)?.dtype;
    const scaleDtype = stored === 'BF16' || stored === 'F32' ? stored : 'F16';
    this.#check(`${name}.scales`, scaleDtype, [groups, outputs]);
    if (this.inner.tensors.has(`${name}.g_idx`)) this.#check(`${name}.g_idx`, 'I32', [inputs]);
    const weight = `${name}.weight`;
    this.#layers.set(weight, {
      name,
      inputs,
      outputs,
      groups,
      bits,
      groupSize,
      symmetric: known?.symmetric,
      scaleDtype,
    });
    const shape = [outputs, inputs];
    this.tensors.set(weight, {
      name: weight,
      dtype: 'F32',
      shape,
      begin: 0,
      end: 4 * inputs * outputs,
      file: info.file,
    });
  }

  #check(name: string, dtype: string, shape: readonly number[]): void {
    const info = this.inner.tensors.get(name);
    const expected = `[${shape.join(', ')}] ${dtype}`;
    if (info === undefined) fail(`${printable(name)}: expected ${expected}, found no tensor of that name`);
    const found = `[${info.shape.join(', ')}] ${info.dtype}`;
    if (found !== expected) fail(`${printable(name)}: expected ${expected}, found ${printable(found)} in ${info.file}`);
  }

  require(name: string, shape: readonly number[]): WeightInfo {
    const info = this.tensors.get(name);
    if (!this.#layers.has(name) || info === undefined) return this.inner.require(name, shape);
    if (info.shape.join() !== shape.join()) {
      fail(`${name}: expected [${shape.join(', ')}], found [${info.shape.join(', ')}] packed in ${info.file}`);
    }
    return { ...info, dtype: 'F32' };
  }

  async readRange(name: string, byteOffset: number, into: Uint8Array): Promise<void> {
    const layer = this.#layers.get(name);
    if (layer === undefined) return this.inner.readRange(name, byteOffset, into);
    const [words, scales] = await Promise.all([this.#wordsOf(layer), this.#scalesOf(layer)]);
    const values = new Float32Array(into.buffer as ArrayBuffer, into.byteOffset, into.length / 4);
    const { inputs } = layer;
    const first = byteOffset / 4;
    for (let i = 0; i < values.length;) {
      const row = Math.floor((first + i) / inputs);
      const column = (first + i) % inputs;
      const count = Math.min(inputs - column, values.length - i);
      this.#unpackRow(layer, words, scales, row, column, values.subarray(i, i + count));
      i += count;
    }
  }

  #unpackRow(layer: Layer, words: Uint32Array, scales: Scales, row: number, from: number, values: Float32Array): void {
    const { method } = this.format;
    const { outputs, bits } = layer;
    const pack = 32 / bits;
    const mask = 2 ** bits - 1;
    for (let i = 0; i < values.length; i++) {
      const column = from + i;
      const word =
        method === 'gptq'
          ? words[Math.floor(column / pack) * outputs + row] >>> (bits * (column % pack))
          : words[column * (outputs / 8) + (row >> 3)] >>> (4 * AWQ_PLACES[row & 7]);
      const group = scales.groupOf[column] * outputs + row;
      values[i] = scales.values[group] * ((word & mask) - scales.zeros[group]);
    }
  }

  packedAs(weight: string): Pick<PackedException, 'bits' | 'groupSize'> | undefined {
    const layer = this.#layers.get(weight);
    return layer && { bits: layer.bits, groupSize: layer.groupSize };
  }

  async scalesOf(weight: string): Promise<RowScales | undefined> {
    const layer = this.#layers.get(weight);
    if (layer === undefined) return undefined;
    const { groupOf, bits, zeros } = await this.#scalesOf(layer);
    const { outputs } = layer;
    return {
      at: (row, column) => {
        const index = groupOf[column] * outputs + row;
        return { scale: bits[index], zero: zeros[index] };
      },
      uniform: (begin, end) => groupOf.subarray(begin, end).every((group) => group === groupOf[begin]),
    };
  }

  async groupsAreRuns(weight: string): Promise<boolean | undefined> {
    const layer = this.#layers.get(weight);
    if (layer === undefined) return undefined;
    return (await this.#groupsOf(layer)).every((group, input) => group === Math.floor(input / layer.groupSize));
  }

  async rowsOf(weight: string): Promise<PackedRows | undefined> {
    const layer = this.#layers.get(weight);
    if (layer === undefined || this.format.method !== 'gptq') return undefined;
    if (!(await this.groupsAreRuns(weight))) return undefined;
    const { inputs, outputs, bits, groupSize } = layer;
    const read = (begin: number, end: number): Promise<PackedWindow> =>
      readWindow(this.inner, { ...layer, zeroOffset: this.format.zeroOffset }, begin, end);
    return { inputs, outputs, bits, groupSize, symmetric: layer.symmetric ?? false, read };
  }

  async #read(name: string): Promise<ArrayBuffer> {
    const { begin, end } = this.inner.tensors.get(name)!;
    const bytes = new Uint8Array(end - begin);
    await this.inner.readRange(name, 0, bytes);
    return bytes.buffer;
  }

  #wordsOf({ name }: Layer): Promise<Uint32Array> {
    let words = this.#words.get(name);
    if (words === undefined) {
      words = this.#read(`${name}.qweight`).then((bytes) => new Uint32Array(bytes));
      this.#words.set(name, words);
      const oldest = this.#words.keys().next().value;
      if (this.#words.size > KEPT && oldest !== undefined) this.#words.delete(oldest);
    }
    return words;
  }

  #scalesOf(layer: Layer): Promise<Scales> {
    let scales = this.#scales.get(layer.name);
    if (scales === undefined) {
      scales = this.#readScales(layer);
      this.#scales.set(layer.name, scales);
      const oldest = this.#scales.keys().next().value;
      if (this.#scales.size > KEPT && oldest !== undefined) this.#scales.delete(oldest);
    }
    return scales;
  }

  /** The group of each input. */
  async #groupsOf({ name, inputs, groups, groupSize }: Layer): Promise<Uint32Array> {
    const index = `${name}.g_idx`;
    if (this.format.method !== 'gptq' || !this.inner.tensors.has(index)) {
      return Uint32Array.from({ length: inputs }, (_, i) => Math.floor(i / groupSize));
    }
    const groupOf = new Uint32Array(await this.#read(index));
    const wrong = groupOf.findIndex((group) => group >= groups);
    if (wrong < 0) return groupOf;
    return fail(`${index}: input ${wrong} is in group ${groupOf[wrong] | 0} of ${groups}; the file is damaged`);
  }

  async #readScales(layer: Layer): Promise<Scales> {
    const { name, outputs, groups, bits, scaleDtype } = layer;
    const { method, zeroOffset } = this.format;
    const [scaleBytes, zeroBytes, groupOf] = await Promise.all([
      this.#read(`${name}.scales`),
      this.#read(`${name}.qzeros`),
      this.#groupsOf(layer),
    ]);
    const half = halfScales(scaleBytes, scaleDtype);
    const infinite = half.findIndex((value) => (value & 0x7c00) === 0x7c00);
    if (infinite >= 0) fail(`${name}.scales: element ${infinite} is not a finite number; the checkpoint is damaged`);
    const words = new Uint32Array(zeroBytes);
    const pack = 32 / bits;
    const mask = 2 ** bits - 1;
    const zeros = Uint16Array.from({ length: groups * outputs }, (_, i) => {
      const [group, row] = [Math.floor(i / outputs), i % outputs];
      const place = method === 'awq' ? AWQ_PLACES[row & 7] : row % pack;
      const stored = words[group * Math.ceil(outputs / pack) + Math.floor(row / pack)] >>> (bits * place);
      return (stored + zeroOffset) & mask;
    });
    return { groupOf, bits: half, values: Float32Array.from(half, (value) => f32Value(f16ToF32(value))), zeros };
  }

  close(): Promise<void> {
    return this.inner.close();
  }
}

interface Scales {
  /** [inputs]: the group of each. */
  readonly groupOf: Uint32Array;
  /** [groups][outputs]: f16 bits of the scales, what they stand for, and zeros. */
  readonly bits: Uint16Array;
  readonly values: Float32Array;
  readonly zeros: Uint16Array;
}

/**
 * Makes the packed layers of a checkpoint readable as plain matrices. A matrix's packed words are read whole and kept
 * while its rows are asked for.
 *
 * @param exceptions what is known of a matrix beyond the format of all
 * @throws RidgepointError naming the tensor that is missing or misshapen
 */
export function unpackedCheckpoint(
  inner: Checkpoint,
  format: PackedFormat,
  exceptions: (weight: string) => PackedException | undefined = () => undefined,
): PackedCheckpoint {
  return new UnpackedCheckpoint(inner, format, exceptions);
}
