import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/node/package-root.js';

const entry = join(packageRoot(), 'scripts', 'ridgepoint.mjs');

/** A command of this program that runs until it is stopped. */
export interface Service {
  /** Where it can be reached on this machine. */
  readonly port: number;
  stop(): Promise<void>;
}

/** @param core the only one it may use; undefined: any */
function start(args: readonly string[], core?: number): ChildProcess {
  const command = [process.execPath, entry, ...args];
  const [program, ...rest] = core === undefined ? command : ['taskset', '-c', `${core}`, ...command];
  return spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/**
 * Starts a command and waits until it says where it listens.
 *
 * @param port finds the port in what it says
 * @throws Error with what it said where it ends before
 */
export async function serve(args: readonly string[], port: RegExp, core?: number): Promise<Service> {
  const child = start(args, core);
  let said = '';
  const found = await new Promise<number>((resolve, reject) => {
    const look = (data: Buffer): void => {
      said = (said + data.toString()).slice(-4000);
      const at = port.exec(said)?.[1];
      if (at !== undefined) resolve(Number(at));
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${said}`)));
  });
  return {
    port: found,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Runs a command to its end. @throws Error with what it said where it fails */
export async function run(args: readonly string[]): Promise<void> {
  const child = start(args);
  let said = '';
  const keep = (data: Buffer): void => void (said = (said + data.toString()).slice(-4000));
  child.stdout!.on('data', keep);
  child.stderr!.on('data', keep);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
}
