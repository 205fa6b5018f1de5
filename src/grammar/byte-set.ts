/** The bytes of inclusive ranges as 256 bits. */
export function byteSet(ranges: readonly (readonly [number, number])[]): Uint32Array {
  const set = new Uint32Array(8);
  for (const [low, high] of ranges) for (let byte = low; byte <= high; byte++) set[byte >> 5] |= 1 << (byte & 31);
  return set;
}

export function hasByte(set: Uint32Array, byte: number): boolean {
  return ((set[byte >> 5] >>> (byte & 31)) & 1) !== 0;
}
