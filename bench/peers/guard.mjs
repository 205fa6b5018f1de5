import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Short measurements in a row share one hold; nobody waits longer than this and one measurement. */
const HOLD_MS = 30_000;

/**
 * Holds a machine on which several people measure, by a shell command: it has to echo a line once the machine is ours,
 * and to end with its input, as `flock /tmp/quiet cat` does.
 */
export class Guard {
  #command;
  #child;
  #exit;
  #since = 0;

  /** @param {string | undefined} command without one, nothing is held */
  constructor(command) {
    this.#command = command;
  }

  /**
   * @template T
   * @param {() => Promise<T>} action
   * @returns {Promise<T>}
   */
  async run(action) {
    await this.#hold();
    try {
      return await action();
    } finally {
      if (performance.now() - this.#since > HOLD_MS) await this.release();
    }
  }

  async release() {
    this.#child?.stdin.end();
    this.#child = undefined;
    await this.#exit;
  }

  async #hold() {
    if (this.#command === undefined || this.#child !== undefined) return;
    const child = spawn(this.#command, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined); // it ended early; told of below
    this.#exit = once(child, 'exit');
    child.stdin.write('\n');
    const [answer] = await Promise.race([once(child.stdout, 'data'), this.#exit]);
    if (!Buffer.isBuffer(answer)) throw new Error(`--guard "${this.#command}" ended instead of echoing a line`);
    this.#child = child;
    this.#since = performance.now();
  }
}
