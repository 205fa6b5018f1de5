import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { packedChromium } from '../../src/platform/node/chromium/packed.js';

export const QUIET = [
  ...['--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
];

/** Why there is no Chromium to test with, for the reason of a skipped test. */
export let chromiumMissing = '';

async function launch(flags: readonly string[]): Promise<Browser | undefined> {
  const program = await packedChromium(join(tmpdir(), 'ridgepoint-chromium-147'));
  if (program === undefined) {
    chromiumMissing = 'the optional dependency @sparticuz/chromium is not installed, or is not for this machine';
    return undefined;
  }
  try {
    return await chromium.launch({
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
  return launch(flags);
}
