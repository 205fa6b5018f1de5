import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { EXIT } from '../../run.js';

/** How long after its end a process is started anew, at first and at most, in milliseconds. */
const [FIRST_MS, MOST_MS] = [300, 10_000];
/** One that has run for so long may start anew at once. */
const SETTLED_MS = 30_000;
/** How long a process may take to end before it is killed. */
const PATIENCE_MS = 5000;

export interface MemberOptions {
  readonly name: string;
  /** What is run; `ridgepoint` where absent. */
  readonly program?: string;
  /** What follows. */
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Its standard output goes to ours. */
  readonly isShown: boolean;
  /** Told of each line that it writes on standard error. */
  readonly onLine: (line: string) => void;
  /** Told of what becomes of it, a few words each. */
  readonly onChange: (what: string) => void;
  /** Told that it was started wrongly, so that starting it anew is of no use. */
  readonly onUsage: () => void;
}

/** A process of a cluster, started anew whenever it ends. */
export class ClusterMember {
  readonly name: string;
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #wait = FIRST_MS;
  #timer: NodeJS.Timeout | undefined;
  #stopping = false;
  #began = 0;
  restarts = 0;

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
    this.#start();
  }

  /** Undefined while it is not there. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Ends it, and resolves when it has. @param patienceMs before it is killed */
  async stop(patienceMs = PATIENCE_MS): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(timer);
  }

  /** Passes a signal on. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  #start(): void {
    const { program, args, env, isShown, onLine } = this.#options;
    this.#began = performance.now();
    // A group of its own, since a terminal's Ctrl-C is for us; where we are killed, the channel's end tells it.
    const ours = [...process.execArgv, process.argv[1], ...args];
    const child = spawn(program ?? process.execPath, program === undefined ? ours : args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', isShown ? 'inherit' : 'ignore', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    if (child.pid !== undefined) this.#options.onChange(`is process ${child.pid}`);
    createInterface({ input: child.stderr! }).on('line', onLine);
    child.on('error', (error) => onLine(error.message));
    child.once('close', (code, signal) => this.#ended(code, signal));
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    this.#child = undefined;
    if (this.#stopping) return;
    const { onChange, onUsage } = this.#options;
    if (code === EXIT.usage && this.#options.program === undefined) return onUsage();
    if (performance.now() - this.#began > SETTLED_MS) this.#wait = FIRST_MS;
    onChange(`has ended (${signal ?? `exit code ${code}`}); it is started anew`);
    this.#timer = setTimeout(() => {
      this.restarts++;
      this.#start();
    }, this.#wait);
    this.#wait = Math.min(MOST_MS, 2 * this.#wait);
  }
}
