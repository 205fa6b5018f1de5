/** A reader of GGUF headers of its own, so that the writer is not tested against itself. Versions from 2 on. */
export interface GgufFile {
  readonly metadata: Map<string, unknown>;
  readonly tensors: { name: string; shape: number[]; dtype: 'f16' | 'f32'; offset: number; bytes: number }[];
  readonly dataBegin: number;
}

export function readGguf(bytes: Uint8Array): GgufFile {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const step = (size: number) => (at += size) - size;
  const u32 = () => view.getUint32(step(4), true);
  const u64 = () => Number(view.getBigUint64(step(8), true));
  const string = () => {
    const length = u64();
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes.subarray(step(length), at));
  };
  const readers: Record<number, () => unknown> = {
    4: u32,
    5: () => view.getInt32(step(4), true),
    6: () => view.getFloat32(step(4), true),
    8: string,
    9: () => {
      const type = u32();
      return Array.from({ length: u64() }, readers[type]);
    },
  };

  if (new TextDecoder().decode(bytes.subarray(step(4), at)) !== 'GGUF') throw new Error('no GGUF file');
  if (u32() !== 3) throw new Error('not version 3');
  const tensorCount = u64();
  const metadata = new Map<string, unknown>();
  for (let left = u64(); left > 0; left--) {
    const key = string();
    metadata.set(key, readers[u32()]());
  }
  const tensors = Array.from({ length: tensorCount }, () => {
    const name = string();
    const shape = Array.from({ length: u32() }, u64).reverse();
    const dtype = (['f32', 'f16'] as const)[u32()];
    const offset = u64();
    return { name, shape, dtype, offset, bytes: shape.reduce((size, n) => size * n, dtype === 'f16' ? 2 : 4) };
  });
  return { metadata, tensors, dataBegin: Math.ceil(at / 32) * 32 };
}
