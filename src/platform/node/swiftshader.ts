import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir, tmpdir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

/** The optional npm package that carries SwiftShader and a Vulkan loader for x64 Linux. */
const PACKAGE = '@sparticuz/chromium';

const LOADER = 'libvulkan.so.1';
const MANIFEST = 'vk_swiftshader_icd.json';
/** The manifest last: where it is, the library it names is too. */
const FILES = ['libvk_swiftshader.so', LOADER, MANIFEST];

/** SwiftShader unpacked: a driver manifest for the Vulkan loader, and a loader for machines that have none. */
export interface SwiftShaderFiles {
  readonly manifest: string;
  readonly loader: string;
}

/**
 * Unpacks SwiftShader from the npm package into a cache folder, once per package version; later calls cost some
 * microseconds. Safe beside other processes doing the same: each file appears whole, by rename.
 *
 * @returns undefined where the package is not installed, the platform is not x64 Linux, or no folder can be written
 */
export function swiftShader(folders: readonly string[] = cacheFolders()): SwiftShaderFiles | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  const carrier = findPackage();
  if (!carrier) return undefined;
  for (const base of folders) {
    const folder = join(base, `swiftshader-${carrier.version}`);
    const files = { manifest: join(folder, MANIFEST), loader: join(folder, LOADER) };
    try {
      if (!isOwn(base)) continue;
      const missing = FILES.filter((name) => !isFilled(join(folder, name)));
      if (missing.length > 0) unpack(carrier.archive, folder, missing);
      return files;
    } catch {
      // Read-only, full, or not ours: the next folder may do.
    }
  }
  return undefined;
}

/** Where unpacked files may go, best first: the user's cache, else a folder of the user's own among temporary files. */
export function cacheFolders(): string[] {
  const xdg = process.env.XDG_CACHE_HOME;
  const cache = xdg && isAbsolute(xdg) ? xdg : join(homedir(), '.cache');
  return [join(cache, 'ridgepoint'), join(tmpdir(), `ridgepoint-${process.getuid?.() ?? 0}`)];
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

/**
 * Creates the folder, private to this user, and refuses one that somebody else could have filled: what lies in it is
 * loaded as code, and names among temporary files can be guessed.
 */
function isOwn(folder: string): boolean {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const status = lstatSync(folder);
  const uid = process.getuid?.();
  return status.isDirectory() && (status.uid === uid || status.uid === 0) && (status.mode & 0o022) === 0;
}

/** A file that a crash cut to nothing does not count. */
function isFilled(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

function unpack(archive: string, folder: string, wanted: readonly string[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const contents = readTar(brotliDecompressSync(readFileSync(archive)), wanted);
  for (const name of wanted) {
    const bytes = contents.get(name);
    if (!bytes) throw new Error(`${archive} holds no ${name}`);
    const partial = join(folder, `.${name}.${process.pid}.${Math.random().toString(36).slice(2)}`);
    try {
      writeFileSync(partial, bytes, { flag: 'wx', mode: 0o600 });
      renameSync(partial, join(folder, name));
    } finally {
      rmSync(partial, { force: true });
    }
  }
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
