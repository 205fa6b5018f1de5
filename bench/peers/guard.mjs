import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Runs `action` while the shell command `guard` runs, for machines that several people measure on. The command has to
 * echo a line once the machine is ours, and to end with its input: `flock /tmp/quiet cat`.
 *
 * @template T
 * @param {string | undefined} guard
 * @param {() => Promise<T>} action
 * @returns {Promise<T>}
 */
export async function guarded(guard, action) {
  if (guard === undefined) return action();
  const child = spawn(guard, { shell: true, stdio: ['pipe', 'pipe', 'inherit'] });
  const exit = once(child, 'exit');
  child.stdin.write('\n');
  try {
    const [chunk] = await Promise.race([once(child.stdout, 'data'), exit]);
    if (!Buffer.isBuffer(chunk)) throw new Error(`the guard "${guard}" ended before the measurement`);
    return await action();
  } finally {
    child.stdin.end();
    await exit;
  }
}
