import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';
import { root, run, type ChildResult } from '../../platform/child.js';
import { pretendDriver } from './driver.js';
import { parseModule, type SpirvModule } from './spirv.js';
import { parseTrace, type Submission } from './trace.js';

export interface PretendOptions {
  /** Keep the SPIR-V of every shader module. */
  readonly dump?: boolean;
  /** Keep the commands. */
  readonly trace?: boolean;
  /** Microseconds a launch takes on the pretended GPU's clock. */
  readonly launchUs?: number;
  /** More variables; those of `README.md` among them. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * The user's cache folder, to be kept between runs: what is remembered of a driver lies there. Default: an empty one,
   * gone afterwards.
   */
  readonly cache?: string;
}

/** What a program did on the pretended GPU. */
export interface PretendRun extends ChildResult {
  /** In the order in which the driver got them, by process; a traced dispatch names an index among its process's. */
  readonly modules: readonly SpirvModule[];
  readonly submissions: readonly Submission[];
}

const driver = await pretendDriver();

/** `describe` for tests on the pretended GPU: skipped, saying why, where it cannot be had. */
export function describePretend(name: string, body: () => void): void {
  if ('missing' in driver) describe.skip(`${name} (no pretended GPU: ${driver.missing})`, body);
  else describe(name, body);
}

/**
 * Runs Node with `args` on the pretended GPU and collects what it printed and what the driver was given. The results of
 * kernels are not looked at: nothing is computed there.
 *
 * @param args for example `['scripts/ridgepoint.mjs', 'devices']`, or `['--input-type=module', '-e', source]`; modules
 *   are imported from `dist`, so build first
 */
export async function runPretended(args: readonly string[], options: PretendOptions = {}): Promise<PretendRun> {
  if ('missing' in driver) throw new Error(`no pretended GPU: ${driver.missing}`);
  const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-pretend-'));
  try {
    const env = {
      ...withoutDrivers(process.env),
      RIDGEPOINT_TUNING: 'off',
      RIDGEPOINT_CHECKS: 'off',
      RIDGEPOINT_PROBE: 'off',
      XDG_CACHE_HOME: options.cache ?? join(folder, 'cache'),
      VK_DRIVER_FILES: driver.manifest,
      ...(options.dump ? { FAKENV_DUMP: folder } : {}),
      ...(options.trace ? { FAKENV_TRACE: folder } : {}),
      ...(options.launchUs === undefined ? {} : { FAKENV_US: String(options.launchUs) }),
      ...options.env,
    };
    const result = await run(process.execPath, [...args], { cwd: root, env });
    const names = (await readdir(folder)).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
    const files = (ending: string) => names.filter((name) => name.endsWith(ending)).map((name) => join(folder, name));
    const modules = await Promise.all(files('.spv').map(async (path) => parseModule(await readFile(path))));
    const traces = await Promise.all(files('.trace').map((path) => readFile(path, 'utf8')));
    return { ...result, modules, submissions: traces.flatMap(parseTrace) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs a module given as text, as `runPretended` does. */
export function runModulePretended(source: string, options?: PretendOptions): Promise<PretendRun> {
  return runPretended(['--input-type=module', '-e', source], options);
}

/** An environment in which nobody chose a driver or a switch of the pretended one. */
function withoutDrivers(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(VK_|FAKENV_|RIDGEPOINT_)/.test(name)));
}
