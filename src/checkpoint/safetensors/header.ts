import { RidgepointError } from '../../errors.js';
import type { TensorEntry } from '../checkpoint.js';
import { headerTrouble } from './header-bounds.js';
import { jsonKeys } from './json-keys.js';
import { START_BYTES, whatBytesAre } from '../mistakes.js';
import { printable } from '../source.js';
import type { FileSource } from '../source.js';

export interface SafetensorsHeader {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
}

/** What the format's own reader accepts as the longest header; a longer one is a damaged length. */
export const MAX_HEADER_BYTES = 100_000_000;

const LENGTH_BYTES = 8;

/** Bits of one element, for the dtypes the format knows; a file may hold newer ones, as long as no weight uses them. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ['BOOL', 8],
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['U8', 8],
  ['I8', 8],
  ['F8_E5M2', 8],
  ['F8_E4M3', 8],
  ['F8_E8M0', 8],
  ['I16', 16],
  ['U16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['I32', 32],
  ['U32', 32],
  ['F32', 32],
  ['C64', 64],
  ['F64', 64],
  ['I64', 64],
  ['U64', 64],
]);

function fail(file: string, message: string): never {
  throw new RidgepointError('checkpoint', `${file}: ${message}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A whole number that JavaScript holds exactly; offsets and sizes beyond 2^53 cannot be real. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parseEntry(name: string, value: unknown, dataBegin: number, file: string): TensorEntry {
  const at = `${file}: ${printable(name)}`;
  if (!isObject(value)) fail(at, 'must be described by an object; the file is damaged, download it again');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string') fail(at, '"dtype" is missing or not a string; the file is damaged, download it again');
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    fail(at, '"shape" is missing or not a list of whole numbers; the file is damaged, download it again');
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !isCount(offsets[0]) || !isCount(offsets[1])) {
    fail(at, '"data_offsets" is missing or not two byte offsets; the file is damaged, download it again');
  }
  const [first, last] = offsets as [number, number];
  if (first > last) fail(at, `ends at byte ${last}, before it begins at ${first}; the file is damaged`);
  const bits = DTYPE_BITS.get(dtype);
  const elements = shape.reduce<number>((product, extent: number) => product * extent, 1);
  if (!Number.isSafeInteger(elements)) fail(at, `[${shape.join(', ')}] has too many elements; the file is damaged`);
  if (bits !== undefined && (elements * bits) / 8 !== last - first) {
    const needs = (elements * bits) / 8;
    fail(at, `[${shape.join(', ')}] ${dtype} needs ${needs} bytes, but ${last - first} are set aside for it`);
  }
  return { name, dtype, shape, begin: dataBegin + first, end: dataBegin + last };
}

/** Tensors lie one behind the other, from the first byte after the header to the last of the file. */
function refuseGaps(entries: Iterable<TensorEntry>, dataBegin: number, fileSize: number, file: string): void {
  const inOrder = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let [at, before] = [dataBegin, ''];
  for (const { name, begin, end } of inOrder) {
    if (begin < at) fail(file, `${printable(before)} and ${printable(name)} share bytes; the file is damaged`);
    if (begin > at) {
      fail(file, `${begin - at} bytes before ${printable(name)} belong to no tensor; the file is damaged`);
    }
    [at, before] = [end, name];
  }
  if (at < fileSize) {
    fail(file, `${fileSize - at} bytes at the end belong to no tensor; the file is damaged, download it again`);
  }
}

/**
 * Checks the JSON header of a safetensors file and lists its tensors.
 *
 * @param json the header's bytes, without the length before them
 * @param fileSize of the whole file, in bytes
 * @param file its name, for error messages
 * @returns tensors whose byte ranges fill the file without gaps and overlaps and are as long as dtype and shape ask
 * @throws RidgepointError('checkpoint') naming the file, the tensor and what is wrong with it
 */
export function parseHeader(json: Uint8Array, fileSize: number, file: string): SafetensorsHeader {
  const trouble = headerTrouble(json);
  if (trouble !== undefined) fail(file, `the header ${trouble}; this is no safetensors file, or a damaged one`);
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(json);
    header = JSON.parse(text);
  } catch (cause) {
    const message = `${file}: the header is not valid JSON; this is no safetensors file, or a damaged one`;
    throw new RidgepointError('checkpoint', message, { cause });
  }
  if (!isObject(header)) fail(file, 'the header is not a JSON object; this is no safetensors file, or a damaged one');
  const names = Object.keys(header);
  // JSON.parse keeps the last of several equal keys without a word.
  const written = jsonKeys(text);
  if (written.length !== names.length) {
    const seen = new Set<string>();
    const twice = written.find((name) => seen.size === seen.add(name).size);
    fail(file, `${printable(twice ?? '')} is listed twice; the file is damaged`);
  }

  const metadata = header['__metadata__'] ?? {};
  if (!isObject(metadata) || !Object.values(metadata).every((value) => typeof value === 'string')) {
    fail(file, '"__metadata__" must be an object of strings; the file is damaged, download it again');
  }
  const dataBegin = LENGTH_BYTES + json.length;
  const tensors = new Map<string, TensorEntry>();
  let last: TensorEntry | undefined;
  for (const name of names) {
    if (name === '__metadata__') continue;
    const entry = parseEntry(name, header[name], dataBegin, file);
    tensors.set(name, entry);
    if (last === undefined || entry.end > last.end) last = entry;
  }
  if (last !== undefined && last.end > fileSize) {
    fail(
      file,
      `${printable(last.name)} ends at byte ${last.end}, but the file has only ${fileSize} of at least ${last.end} bytes; ` +
        `it was cut short, download it again`,
    );
  }
  refuseGaps(tensors.values(), dataBegin, fileSize, file);
  return { tensors };
}

/**
 * Reads the header of a safetensors file, and nothing else of it.
 *
 * @throws RidgepointError('checkpoint') naming the file and what is wrong with it
 */
export async function readHeader(source: FileSource): Promise<SafetensorsHeader> {
  const { name: file, size } = source;
  const start = new Uint8Array(Math.min(size, START_BYTES));
  await source.read(0, start);
  const mistaken = whatBytesAre(start);
  if (mistaken !== undefined) fail(file, mistaken);
  if (size < LENGTH_BYTES) fail(file, `has only ${size} bytes and cannot be a safetensors file; download it again`);
  const length = new DataView(start.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    fail(file, `states a header of ${length} bytes; this is no safetensors file, or a damaged one`);
  }
  if (LENGTH_BYTES + Number(length) > size) {
    fail(
      file,
      `states a header of ${length} bytes, but the file has only ${size}; it was cut short, download it again`,
    );
  }
  const json = new Uint8Array(Number(length));
  await source.read(LENGTH_BYTES, json);
  return parseHeader(json, size, file);
}
