import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type BrowserContext } from 'playwright-core';
import { packedChromium } from '../../src/platform/node/chromium/packed.js';

export const QUIET = [
  ...['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];

/** Why there is no Chromium to test with, for the reason of a skipped test. */
export let chromiumMissing = '';

interface Launched {
  readonly executablePath: string;
  readonly chromiumSandbox: false;
  readonly args: string[];
  readonly env: NodeJS.ProcessEnv;
}

/** @returns undefined where it is not there or does not start, of which `chromiumMissing` tells */
async function started<T>(flags: readonly string[], start: (options: Launched) => Promise<T>): Promise<T | undefined> {
  const program = await packedChromium(join(tmpdir(), 'ridgepoint-chromium-147'));
  if (program === undefined) {
    chromiumMissing = 'the optional dependency @sparticuz/chromium is not installed, or is not for this machine';
    return undefined;
  }
  try {
    return await start({
      executablePath: program.path,
      chromiumSandbox: false,
      args: [...QUIET, ...flags],
      env: { ...process.env, ...program.env },
    });
  } catch (error) {
    chromiumMissing = `Chromium does not start here: ${(error as Error).message.split('\n', 1)[0]}`;
    return undefined;
  }
}

/** The Chromium of the optional dependency on SwiftShader, or undefined where it cannot be started. */
export function launchChromium(...flags: string[]): Promise<Browser | undefined> {
  return started(flags, (options) => chromium.launch(options));
}

/** The same with a profile on the disk, where what a page stores goes; without one it is kept in memory. */
export function launchWithProfile(folder: string): Promise<BrowserContext | undefined> {
  return started([], (options) => chromium.launchPersistentContext(folder, options));
}
