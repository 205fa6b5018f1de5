import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/node/package-root.js';

const entry = join(packageRoot(), 'scripts', 'ridgepoint.mjs');

/** A process of the command line that tells on standard error where it can be reached. */
export interface Running {
  readonly port: number;
  readonly child: ChildProcess;
  /** Ends it without a word, and resolves when it is gone. */
  kill(): Promise<void>;
  /** All that it has written. */
  output(): string;
}

const all = new Set<ChildProcess>();

/** Starts `ridgepoint` and waits until it says at which port. */
export async function launch(args: readonly string[], port: RegExp): Promise<Running> {
  // By the channel it ends with us, however we end.
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  all.add(child);
  let output = '';
  const found = new Promise<number>((resolve, reject) => {
    const look = (data: Buffer): void => {
      output += data.toString();
      const at = port.exec(output)?.[1];
      if (at !== undefined) resolve(Number(at));
    };
    child.stdout!.on('data', look);
    child.stderr!.on('data', look);
    child.once('exit', (code) => reject(new Error(`${args[0]} ended with ${code}: ${output}`)));
  });
  const gone = once(child, 'exit').then(() => all.delete(child));
  return {
    port: await found,
    child,
    kill: async () => {
      child.kill('SIGKILL');
      await gone;
    },
    output: () => output,
  };
}

/** A worker of the embedded model. */
export const launchWorker = (adapter: string, ...more: string[]): Promise<Running> =>
  launch(
    ['worker', '--adapter', adapter, '--listen', '127.0.0.1:0', '--context-length', '512', ...more],
    / at 127\.0\.0\.1:(\d+)\. Ctrl-C stops/,
  );

export const launchRouter = (workers: readonly Running[], ...more: string[]): Promise<Running> =>
  launch(
    ['router', '--port', '0', ...workers.flatMap(({ port }) => ['--worker', `127.0.0.1:${port}`]), ...more],
    /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/,
  );

interface Completion {
  readonly choices: readonly { readonly token_ids: readonly number[] }[];
}

/** Asks a router for a greedy answer of 24 tokens, unless the body says otherwise. */
export const complete = (router: Running, body: object, signal?: AbortSignal): Promise<Response> =>
  fetch(`http://127.0.0.1:${router.port}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ temperature: 0, ignore_eos: true, max_tokens: 24, return_token_ids: true, ...body }),
    signal,
  });

/** @throws Error where the answer is none */
export async function idsOf(response: Response): Promise<readonly number[]> {
  const text = await response.text();
  if (!response.ok) throw new Error(text);
  return (JSON.parse(text) as Completion).choices[0].token_ids;
}

/** A number that a router's `/metrics` has. */
export async function metric(router: Running, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${router.port}/metrics`)).text();
  return Number(new RegExp(`^ridgepoint_${name}\\{[^}]*\\} (\\S+)`, 'm').exec(text)?.[1]);
}

/** Ends what is still there. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...all].map(async (child) => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }),
  );
}
