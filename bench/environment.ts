import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { EngineInfo } from '../src/engine/api.js';
import { listCalibrations } from '../src/platform/node/calibration-store.js';
import { packageRoot } from '../src/platform/node/package-root.js';
import type { Calibration } from '../src/roofline/hardware/calibration.js';
import { contextOf } from './context.js';
import type { BenchResult, RecordContext } from './schema.js';

const versionIn = (path: string): string => (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;

/** The commit of the checkout this runs from, undefined for an installed package. */
function gitCommit(root: string): string | undefined {
  if (!existsSync(join(root, '.git'))) return undefined;
  try {
    return execFileSync('git', ['describe', '--always', '--dirty', '--exclude', '*'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

/** Version and commit of what runs. */
export function ridgepointOf(): Pick<RecordContext, 'ridgepoint' | 'git_commit'> {
  const root = packageRoot();
  return { ridgepoint: versionIn(join(root, 'package.json')), git_commit: gitCommit(root) ?? null };
}

/** The calibration of this machine for an adapter and driver, where there is one. */
export async function knownCalibration({ adapter, driver }: EngineInfo): Promise<Calibration | undefined> {
  const calibrations = (await listCalibrations()).map(({ calibration }) => calibration);
  return calibrations.find((each) => each.adapter === adapter && each.driver === driver);
}

/** What every record says about where it was measured. */
export async function recordContext(info: EngineInfo): Promise<RecordContext> {
  const known = await knownCalibration(info);
  const dawn = join(createRequire(import.meta.url).resolve('webgpu'), '..', 'package.json');
  return contextOf(info, {
    ...ridgepointOf(),
    runtime: `node ${process.versions.node}`,
    dawn: existsSync(dawn) ? `webgpu ${versionIn(dawn)}` : 'unknown',
    calibration: known?.date ?? null,
  });
}

export function hostOf(): BenchResult['host'] {
  const [first, ...others] = cpus();
  return {
    os: `${type()} ${release()}`,
    cpu: first?.model.trim() ?? 'unknown',
    threads: others.length + (first ? 1 : 0),
    memory_bytes: totalmem(),
  };
}
