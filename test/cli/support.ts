import { execFileSync, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { packageRoot } from '../../src/platform/node/package-root.js';

export const root = packageRoot();
const entry = join(root, 'scripts', 'ridgepoint.mjs');

interface Freshness {
  readonly buildIsFresh: () => boolean;
  readonly sources: () => string;
  readonly built: (sources: string) => void;
}

/** Brings the built command line up to date, where `npm test` has not done so before. */
export async function build(): Promise<void> {
  const module = pathToFileURL(join(root, 'scripts', 'freshness.mjs')).href;
  const { freshness } = (await import(module)) as { freshness: (root: string) => Freshness };
  const fresh = freshness(root);
  // The compiler takes seconds to find out that there is nothing to do.
  if (fresh.buildIsFresh()) return;
  const sources = fresh.sources();
  try {
    execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'], {
      cwd: root,
      stdio: 'ignore',
    });
    fresh.built(sources);
  } catch {
    // A type error somewhere else does not keep the compiler from writing; type checking has a step of its own.
  }
}

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as it arrived. */
  readonly chunks: readonly Buffer[];
}

export interface CliOptions {
  readonly input?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  /** Called for each piece of standard output. */
  readonly onOutput?: (child: ChildProcessWithoutNullStreams) => void;
  /** Called when the process has been started. */
  readonly onStart?: (child: ChildProcessWithoutNullStreams) => void;
}

/** Dawn's remarks on a driver's limits, which cannot be silenced where standard error is a socket, as it is here. */
const DAWN = /^Warning: max\w+ artificially reduced from .*\n/gm;
/** Said when nothing better than SwiftShader is there. */
const HINT = /^Running on SwiftShader, .*\n/gm;

/** How far loading has come, of which a machine with other work to do is slow enough for a line. */
const PROGRESS =
  /^ridgepoint: (?:waiting for another download of it|checking a file|downloading|choosing kernels|loading weights|compiling kernels|quantising weights): .*\n/gm;

/** Runs `ridgepoint` with these arguments. */
export function cli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [entry, ...args], { env: { ...process.env, ...options.env } });
    const chunks: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      options.onOutput?.(child);
    });
    child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
    child.stdin.on('error', () => undefined); // not everything reads it
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const stderr = [DAWN, HINT, PROGRESS].reduce(
        (text, said) => text.replace(said, ''),
        Buffer.concat(errors).toString(),
      );
      resolve({ code, signal, stdout: Buffer.concat(chunks).toString(), stderr, chunks });
    });
    child.stdin.end(options.input ?? '');
    options.onStart?.(child);
  });
}

/** What `--json` prints, as far as tests look at it. */
export interface JsonOutput {
  text: string;
  prompt_ids: number[];
  ids: number[];
  finish_reason: string;
  ttft_ms: number;
  tpot_ms: number | null;
  e2e_ms: number;
  seed: number;
  adapter: string;
  driver: string;
  tier: string;
  model: string;
  dtype: string;
  kv_dtype: string;
  load: Record<string, number>;
  logprobs?: { id: number; logprob: number; top: { id: number; logprob: number }[] }[];
}

/** Runs `generate --json` and reads its one object. */
export async function generateJson(args: readonly string[], options?: CliOptions): Promise<JsonOutput> {
  const result = await cli(['generate', '--json', ...args], options);
  if (result.code !== 0) throw new Error(`exit code ${result.code}: ${result.stderr}`);
  return JSON.parse(result.stdout) as JsonOutput;
}

const FILES = ['config.json', 'generation_config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'];

/** A folder for files of a test, and model folders in it that are the embedded one with some files changed. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), 'ridgepoint-cli-'));

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.path, name);
    writeFileSync(path, content);
    return path;
  }

  /** @param changes per file: its new content, made from the old one, or undefined to leave the file out */
  model(name: string, changes: Record<string, ((old: Buffer) => string | Uint8Array) | undefined> = {}): string {
    const folder = join(this.path, name);
    mkdirSync(folder);
    for (const file of FILES) {
      const original = join(root, 'models', 'tiny-tales', file);
      const change = changes[file];
      if (change !== undefined) writeFileSync(join(folder, file), change(readFileSync(original)));
      else if (file in changes) continue;
      else if (file.endsWith('.json')) copyFileSync(original, join(folder, file));
      else symlinkSync(original, join(folder, file));
    }
    return folder;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Changes keys of a JSON file. */
export const withKeys =
  (changes: Record<string, unknown>) =>
  (old: Buffer): string =>
    JSON.stringify({ ...(JSON.parse(old.toString()) as object), ...changes });
