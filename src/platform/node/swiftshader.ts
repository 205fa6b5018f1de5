import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliDecompress } from 'node:zlib';
import { RidgepointError } from '../../errors.js';
import { disk, whyUnwritable } from './disk.js';
import { cacheFolders, isOwn } from './own-folder.js';
import { putWhole } from './whole-file.js';

export { cacheFolders };

/** The optional npm package that carries SwiftShader and a Vulkan loader for x64 Linux. */
const PACKAGE = '@sparticuz/chromium';

const LOADER = 'libvulkan.so.1';
const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', LOADER, MANIFEST];
/** What was unpacked, and how it was when it was last read: written last. */
const RECORD = 'unpacked.json';

/** SwiftShader unpacked: a driver manifest for the Vulkan loader, and a loader for machines that have none. */
export interface SwiftShaderFiles {
  readonly manifest: string;
  readonly loader: string;
}

/** SHA-256 of each file, and the size and time by which it is known not to have been touched since it was checked. */
type UnpackedRecord = Record<string, { readonly sha256: string; readonly state: string }>;

/**
 * Unpacks SwiftShader from the npm package into a cache folder, once per package version; later calls cost some
 * microseconds. What was damaged, cut short or unpacked by an older version is found out, for loading it would kill the
 * process. Safe beside other processes doing the same: each file appears whole, by rename.
 *
 * @returns undefined where the package is not installed or the platform is not x64 Linux
 * @throws RidgepointError('adapter') naming the folders where none can be written
 */
export async function swiftShader(folders: readonly string[] = cacheFolders()): Promise<SwiftShaderFiles | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const carrier = findPackage();
  if (!carrier) return undefined;
  const reasons: string[] = [];
  for (const base of folders) {
    const folder = join(base, `swiftshader-${carrier.version}`);
    try {
      if (!isOwn(base)) {
        reasons.push(`${base}: others may write there; take that right away with "chmod go-w"`);
        continue;
      }
      if (!(await isUnpacked(folder))) await unpack(carrier.archive, folder);
      return { manifest: join(folder, MANIFEST), loader: join(folder, LOADER) };
    } catch (error) {
      reasons.push(`${folder}: ${whyUnwritable(error)}`);
    }
  }
  throw new RidgepointError('adapter', `SwiftShader cannot be unpacked: ${reasons.join('; ')}`);
}

function findPackage(): { archive: string; version: string } | undefined {
  try {
    // The package exports no package.json, so start from its entry point and go up, past those of its builds.
    let folder = dirname(createRequire(import.meta.url).resolve(PACKAGE));
    for (; folder !== dirname(folder); folder = dirname(folder)) {
      const { name, version } = readManifest(join(folder, 'package.json'));
      const archive = join(folder, 'bin', 'swiftshader.tar.br');
      if (name === PACKAGE && version) return existsSync(archive) ? { archive, version } : undefined;
    }
    return undefined;
  } catch {
    return undefined;
  }
}

function readManifest(path: string): { name?: string; version?: string } {
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string }) : {};
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The system changes this when somebody writes to a file. */
function stateOf(path: string): string | undefined {
  const info = lstatSync(path, { throwIfNoEntry: false });
  return info?.isFile() ? `${info.size} ${info.mtimeMs} ${info.ino}` : undefined;
}

function readRecord(folder: string): UnpackedRecord | undefined {
  const path = join(folder, RECORD);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return undefined;
  try {
    const record = JSON.parse(readFileSync(path, 'utf8')) as UnpackedRecord;
    return FILES.every((name) => typeof record[name]?.sha256 === 'string') ? record : undefined;
  } catch {
    return undefined;
  }
}

/** Whether all is there as it was unpacked. Files that were touched since are read again. */
async function isUnpacked(folder: string): Promise<boolean> {
  const record = readRecord(folder);
  if (record === undefined) return false;
  const touched = FILES.filter((name) => stateOf(join(folder, name)) !== record[name].state);
  if (touched.length === 0) return true;
  for (const name of touched) {
    const state = stateOf(join(folder, name));
    if (state === undefined || sha256(readFileSync(join(folder, name))) !== record[name].sha256) return false;
    record[name] = { ...record[name], state };
  }
  await keep(folder, record);
  return true;
}

const keep = (folder: string, record: UnpackedRecord): Promise<void> =>
  putWhole(join(folder, RECORD), `${JSON.stringify(record, null, 1)}\n`, 0o600);

async function unpack(archive: string, folder: string): Promise<void> {
  await disk.mkdir(folder, { recursive: true, mode: 0o700 });
  const contents = readTar(await promisify(brotliDecompress)(readFileSync(archive)), FILES);
  const record: UnpackedRecord = {};
  for (const name of FILES) {
    const bytes = contents.get(name);
    if (!bytes) throw new Error(`${archive} holds no ${name}`);
    const path = join(folder, name);
    // A library that another process has loaded must stay the same file, where it is right.
    const isRight = stateOf(path) !== undefined && sha256(readFileSync(path)) === sha256(bytes);
    if (!isRight) await putWhole(path, bytes, 0o600);
    record[name] = { sha256: sha256(bytes), state: stateOf(path) ?? '' };
  }
  await keep(folder, record);
}

/** The named regular files of a tar archive: 512-byte headers, the size in octal, contents padded to 512 bytes. */
function readTar(tar: Buffer, wanted: readonly string[]): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (let at = 0; at + 512 <= tar.length && tar[at] !== 0;) {
    const path = tar.toString('latin1', at, at + 100).split('\0', 1)[0];
    const size = parseInt(tar.toString('latin1', at + 124, at + 136), 8);
    if (!Number.isFinite(size)) throw new Error(`damaged tar header at byte ${at}`);
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (wanted.includes(name)) found.set(name, tar.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
}
