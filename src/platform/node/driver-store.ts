import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UNKNOWN_DRIVER, type DriverRecord, type Finding } from '../../engine/drivers/record.js';
import { MASK_WORDS } from '../../gpu/masks.js';
import { calibrationKey } from '../../roofline/hardware/calibration-key.js';
import { SHADER_TEXTS } from '../../gpu/shader-texts.js';
import { calibrationFolder, DRIVER_ENDING, TRYING_ENDING } from './calibration-folder.js';
import { packageRoot } from './package-root.js';
import { putWhole } from './whole-file.js';

/** Where what is known of a driver is kept, beside the calibrations. */
export function driverPath(adapter: string, driver: string): string {
  return join(calibrationFolder(), `${calibrationKey(adapter, driver)}${DRIVER_ENDING}`);
}

interface StoredRecord extends DriverRecord {
  readonly version: 1;
  readonly adapter: string;
  readonly driver: string;
  /** Of the kernels it was found out with; with others it does not hold. */
  readonly kernels: string;
  readonly date: string;
}

let version: string | undefined;

/** A digest of the shaders and of the code that chooses their constants. */
export function kernelsVersion(): string {
  return (version ??= digest());
}

function digest(): string {
  const hash = createHash('sha256');
  for (const [name, text] of Object.entries(SHADER_TEXTS)) hash.update(`${name}\0`).update(text);
  const folder = join(packageRoot(), 'dist', 'src', 'kernels');
  let names: string[] = [];
  try {
    names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  } catch {
    // no dist in a checkout that runs its sources
  }
  for (const name of names.filter((each) => each.endsWith('.js'))) {
    hash.update(`${name}\0`).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex').slice(0, 16);
}

/**
 * What is known of a driver with the kernels there are now; nothing of one that was never tried, or whose file cannot
 * be read. What a process was trying when it ended counts as found.
 */
export async function loadDriver(adapter: string, driver: string): Promise<DriverRecord> {
  const known = await readRecord(adapter, driver);
  const crashed = unfinished(adapter, driver);
  if (crashed === undefined) return known;
  const record = {
    ...known,
    findings: [...known.findings, { kernel: crashed, why: 'a process that tried it did not come back' }],
  };
  await saveDriver(adapter, driver, record);
  rmSync(tryingPath(adapter, driver), { force: true });
  return record;
}

async function readRecord(adapter: string, driver: string): Promise<DriverRecord> {
  try {
    const stored = JSON.parse(await readFile(driverPath(adapter, driver), 'utf8')) as StoredRecord;
    if (stored.version !== 1 || stored.kernels !== kernelsVersion()) return UNKNOWN_DRIVER;
    return { findings: stored.findings.filter(isFinding), tried: stored.tried.map(String) };
  } catch {
    return UNKNOWN_DRIVER; // absent, or not what was written
  }
}

const isFinding = (each: Finding): boolean =>
  typeof each.why === 'string' &&
  ('mask' in each ? (MASK_WORDS as string[]).includes(each.mask) : typeof each.kernel === 'string');

/** Keeps what is known. Failing to is no reason not to run. */
export async function saveDriver(adapter: string, driver: string, record: DriverRecord): Promise<void> {
  const date = new Date().toISOString();
  const stored: StoredRecord = { version: 1, adapter, driver, kernels: kernelsVersion(), date, ...record };
  try {
    await putWhole(driverPath(adapter, driver), `${JSON.stringify(stored, null, 1)}\n`);
  } catch {
    // A read-only home: the next run tries again.
  }
}

const tryingPath = (adapter: string, driver: string): string =>
  join(calibrationFolder(), `${calibrationKey(adapter, driver)}${TRYING_ENDING}`);

/**
 * Writes down at once what is about to be compiled or run; undefined when it went well. Only the process itself knows
 * when it was ended, so the next one that reads it with its writer gone knows what ended it.
 */
export function noteTrying(adapter: string, driver: string, kernel: string | undefined): void {
  const path = tryingPath(adapter, driver);
  try {
    if (kernel === undefined) rmSync(path, { force: true });
    else {
      mkdirSync(calibrationFolder(), { recursive: true });
      writeFileSync(path, JSON.stringify({ kernel, pid: process.pid, kernels: kernelsVersion() }));
    }
  } catch {
    // A read-only home: nothing can be learnt from a crash.
  }
}

/** What a process that is gone was trying. */
function unfinished(adapter: string, driver: string): string | undefined {
  try {
    const note = JSON.parse(readFileSync(tryingPath(adapter, driver), 'utf8')) as Record<string, unknown>;
    if (note.kernels !== kernelsVersion() || typeof note.kernel !== 'string' || isAlive(Number(note.pid)))
      return undefined;
    return note.kernel;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
