import type { TensorDtype } from '../convert.js';

/** A tensor that is to be written. */
export interface NewTensor {
  readonly name: string;
  readonly dtype: TensorDtype | 'I32';
  readonly shape: readonly number[];
}

/** Where a tensor's bytes go. */
export interface Place {
  readonly file: string;
  /** First byte, counted from the file's start. */
  readonly begin: number;
}

/** The files of a checkpoint before any tensor is written. */
export interface ShardPlan {
  readonly files: readonly { readonly name: string; readonly header: Uint8Array; readonly bytes: number }[];
  readonly places: ReadonlyMap<string, Place>;
  /** `model.safetensors.index.json` where there are several files. */
  readonly index: string | undefined;
  /** Of all files. */
  readonly bytes: number;
}

const ELEMENT_BYTES = { F32: 4, I32: 4, F16: 2, BF16: 2 } as const;

/** As transformers saves them, so that a file system's or a server's largest file is seldom met. */
export const SHARD_BYTES = 5e9;

const LENGTH_BYTES = 8;

export function tensorBytes({ dtype, shape }: NewTensor): number {
  return shape.reduce((product, extent) => product * extent, ELEMENT_BYTES[dtype]);
}

/** The header of a file, its length in front and blanks behind, so that the data begin on a multiple of 8. */
function headerOf(tensors: readonly NewTensor[], metadata: Readonly<Record<string, string>>): Uint8Array {
  const json: Record<string, unknown> = { __metadata__: metadata };
  let end = 0;
  for (const tensor of tensors) {
    const { name, dtype, shape } = tensor;
    json[name] = { dtype, shape, data_offsets: [end, (end += tensorBytes(tensor))] };
  }
  const text = new TextEncoder().encode(JSON.stringify(json));
  const length = Math.ceil(text.length / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, LENGTH_BYTES);
  return header;
}

/**
 * Deals tensors out to safetensors files.
 *
 * @param groups tensors that stay in one file
 * @param most bytes a file should not exceed; a larger group has one to itself
 */
export function planShards(
  groups: readonly (readonly NewTensor[])[],
  metadata: Readonly<Record<string, string>>,
  most = SHARD_BYTES,
): ShardPlan {
  const shards: NewTensor[][] = [];
  let left = 0;
  for (const group of groups) {
    const bytes = group.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    if (shards.length === 0 || bytes > left) {
      shards.push([]);
      left = most;
    }
    shards[shards.length - 1].push(...group);
    left -= bytes;
  }
  const number = (n: number): string => String(n).padStart(5, '0');
  const places = new Map<string, Place>();
  const map: Record<string, string> = {};
  let total = 0;
  const files = shards.map((shard, i) => {
    // Four-byte numbers first: the format leaves no gaps, and each tensor has to begin on a multiple of its numbers.
    const tensors = [4, 2].flatMap((size) => shard.filter(({ dtype }) => ELEMENT_BYTES[dtype] === size));
    const name =
      shards.length === 1 ? 'model.safetensors' : `model-${number(i + 1)}-of-${number(shards.length)}.safetensors`;
    const header = headerOf(tensors, metadata);
    let begin = header.length;
    for (const tensor of tensors) {
      places.set(tensor.name, { file: name, begin });
      map[tensor.name] = name;
      begin += tensorBytes(tensor);
    }
    total += begin - header.length;
    return { name, header, bytes: begin };
  });
  const index =
    files.length === 1
      ? undefined
      : `${JSON.stringify({ metadata: { total_size: total }, weight_map: map }, null, 2)}\n`;
  return { files, places, index, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) };
}
