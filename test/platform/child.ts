import { spawn, type StdioOptions } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/platform/node/package-root.js';

export interface ChildResult {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const root = packageRoot();

/** The address of a built module, to be imported by a child: Node 20 does not run TypeScript. */
export const built = (path: string): string => JSON.stringify(join(root, 'dist', 'src', path));

/** Runs a command and collects what it prints; stderr is empty where `stdio` sends it elsewhere. */
export function run(
  command: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; stdio?: StdioOptions; cwd?: string } = {},
): Promise<ChildResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    const text = { stdout: '', stderr: '' };
    child.stdout?.on('data', (chunk: Buffer) => (text.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (text.stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...text }));
  });
}

/** Runs a module given as text in a Node of its own. */
export const runModule = (source: string, options?: Parameters<typeof run>[2]): Promise<ChildResult> =>
  run(process.execPath, ['--input-type=module', '-e', source], options);

/** `text` as one word of a shell command. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** A shell command that runs a module given as text. */
export const nodeCommand = (source: string): string =>
  `${quoted(process.execPath)} --input-type=module -e ${quoted(source)}`;
