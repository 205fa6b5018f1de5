import { setPriority } from 'node:os';
import { ceilings } from './ceilings.js';
import { expected } from './expected.js';
import { memory } from './memory.js';
import { speed } from './speed.js';
import { stalls } from './stalls.js';
import { Built } from './tab.js';
import { tabs } from './tabs.js';

const PARTS: Readonly<Record<string, (built: Built) => Promise<string[]>>> = {
  ...{ speed, tabs, stalls, memory, ceilings, expected },
};

/**
 * Measures and prints, part by part.
 *
 * @param names of the parts; none stands for all
 * @returns the exit code
 */
export async function printFigures(names: readonly string[]): Promise<number> {
  const unknown = names.find((name) => !(name in PARTS));
  if (unknown !== undefined) {
    console.error(`there are no figures "${unknown}"; there are ${Object.keys(PARTS).join(', ')}`);
    return 2;
  }
  try {
    // Chromium gives its GPU's process this priority where it may, and Node's turns are to be no worse and no better.
    setPriority(-8);
  } catch {
    // Only root may, and without it Chromium's has none either.
  }
  const built = new Built();
  let code = 0;
  try {
    await built.build();
    for (const name of names.length > 0 ? names : Object.keys(PARTS)) {
      console.log(`\n${name}, ${new Date().toISOString()}`);
      try {
        for (const line of await PARTS[name](built)) console.log(`  ${line}`);
      } catch (error) {
        console.log(`  not measured: ${(error as Error).message}`);
        code = 1;
      }
      await built.closeBrowsers();
    }
  } finally {
    await built.close();
  }
  return code;
}
