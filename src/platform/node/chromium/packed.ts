import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';

/** A browser to be started, and what it wants in its environment. */
export interface ChromiumProgram {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Where the optional dependency keeps its archives; undefined where it was left out, or is not for this machine. */
function archives(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const bin = join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', '..', 'bin');
    return existsSync(join(bin, 'chromium.br')) ? bin : undefined;
  } catch {
    return undefined;
  }
}

const unpack = (archive: string, to: string): Promise<void> =>
  pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));

function untar(archive: string, to: string): void {
  mkdirSync(to);
  const { status, stderr } = spawnSync('tar', ['-xf', archive, '-C', to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  rmSync(archive);
}

/** The driver's libraries, which are looked for beside the program. */
const BESIDE = ['libEGL.so', 'libGLESv2.so', 'libvk_swiftshader.so', 'libvulkan.so.1', 'vk_swiftshader_icd.json'];

/** Unpacks the program with its driver and the libraries it was linked against, once, whole or not at all. */
async function unpackAll(bin: string, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true, mode: 0o700 });
  await unpack(join(bin, 'chromium.br'), join(part, 'chromium'));
  for (const name of ['swiftshader', 'al2023', 'fonts']) {
    await unpack(join(bin, `${name}.tar.br`), join(part, `${name}.tar`));
    untar(join(part, `${name}.tar`), join(part, name));
  }
  for (const name of BESIDE) {
    const from = join(part, 'swiftshader', name);
    if (existsSync(from)) renameSync(from, join(part, name));
  }
  try {
    renameSync(part, folder);
  } catch {
    rmSync(part, { recursive: true }); // another process was faster
  }
}

/** The package's own fonts: where a machine has none, Chromium ends as soon as it has text to draw. */
function fontsOf(folder: string): string {
  const config = join(folder, 'own-fonts.conf');
  const [fonts, cache] = [join(folder, 'fonts', 'fonts'), join(folder, 'fonts-cache')];
  if (!existsSync(config)) {
    const part = `${config}.${process.pid}`;
    writeFileSync(part, `<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>\n`);
    renameSync(part, config);
  }
  return config;
}

/**
 * The Chromium of the optional package, unpacked.
 *
 * @param folder where it gets to; what is there already is taken for it, so it must be this user's own
 * @returns undefined where the package is not installed or not for this machine
 */
export async function packedChromium(folder: string): Promise<ChromiumProgram | undefined> {
  const bin = archives();
  if (bin === undefined) return undefined;
  await unpackAll(bin, folder);
  return {
    path: join(folder, 'chromium'),
    env: { LD_LIBRARY_PATH: join(folder, 'al2023', 'lib'), FONTCONFIG_FILE: fontsOf(folder) },
  };
}
