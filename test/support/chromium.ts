import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { chromium, type Browser } from 'playwright-core';

/** Where the optional dependency keeps its archives; undefined where it was left out. */
function archives(): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium')), '..', '..', 'bin');
  } catch {
    return undefined;
  }
}

async function unpack(archive: string, to: string): Promise<void> {
  await pipeline(createReadStream(archive), createBrotliDecompress(), createWriteStream(to, { mode: 0o755 }));
}

function untar(archive: string, to: string): void {
  mkdirSync(to);
  const { status, stderr } = spawnSync('tar', ['-xf', archive, '-C', to], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tar: ${stderr}`);
  rmSync(archive);
}

/** Unpacks the package's Chromium, once, with its driver and the libraries it was linked against. */
async function unpackChromium(bin: string): Promise<string> {
  const folder = join(tmpdir(), 'ridgepoint-chromium-147');
  if (existsSync(folder)) return folder;
  const part = `${folder}.${process.pid}`;
  mkdirSync(part, { recursive: true });
  await unpack(join(bin, 'chromium.br'), join(part, 'chromium'));
  for (const name of ['swiftshader', 'al2023', 'fonts']) {
    await unpack(join(bin, `${name}.tar.br`), join(part, `${name}.tar`));
    untar(join(part, `${name}.tar`), join(part, name));
  }
  // The driver's libraries are looked for beside the program.
  for (const name of [
    'libEGL.so',
    'libGLESv2.so',
    'libvk_swiftshader.so',
    'libvulkan.so.1',
    'vk_swiftshader_icd.json',
  ]) {
    const from = join(part, 'swiftshader', name);
    if (existsSync(from)) renameSync(from, join(part, name));
  }
  try {
    renameSync(part, folder);
  } catch {
    rmSync(part, { recursive: true }); // another process was faster
  }
  return folder;
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

export const QUIET = [
  ...['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];

/** Why there is no Chromium to test with, for the reason of a skipped test. */
export let chromiumMissing = '';

async function launch(flags: readonly string[]): Promise<Browser | undefined> {
  const bin = archives();
  if (bin === undefined || process.platform !== 'linux' || process.arch !== 'x64') {
    chromiumMissing = 'the optional dependency @sparticuz/chromium is not installed, or is not for this machine';
    return undefined;
  }
  const folder = await unpackChromium(bin);
  const libraries = join(folder, 'al2023', 'lib');
  try {
    return await chromium.launch({
      executablePath: join(folder, 'chromium'),
      chromiumSandbox: false,
      args: [...QUIET, ...flags],
      env: { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_FILE: fontsOf(folder) },
    });
  } catch (error) {
    chromiumMissing = `Chromium does not start here: ${(error as Error).message.split('\n', 1)[0]}`;
    return undefined;
  }
}

/** The Chromium of the optional dependency on SwiftShader, or undefined where it cannot be started. */
export function launchChromium(...flags: string[]): Promise<Browser | undefined> {
  return launch(flags);
}
