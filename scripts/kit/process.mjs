import { spawn } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';

const running = new Set();

/**
 * Starts a program in a process group of its own and collects what it prints.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: object, limit?: number, patience?: number }} [options] `limit`: seconds after which it
 *   is asked to stop; `patience`: seconds until it is told to, and as many again until it is made to
 */
export function start(command, args, { cwd, env = process.env, limit, patience = 5 } = {}) {
  const begun = performance.now();
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '', output: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      texts[stream] += text;
      texts.output += text;
    });
  }
  const signalGroup = (signal) => {
    try {
      process.kill(-child.pid, signal);
    } catch {
      // It has ended.
    }
  };
  let timedOut = false;
  const timers = [];
  // What is measured so far is written on an interrupt. A driver wants the chance to let go of a GPU.
  const stop = () => {
    signalGroup('SIGINT');
    timers.push(
      setTimeout(() => signalGroup('SIGTERM'), patience * 1000),
      setTimeout(() => signalGroup('SIGKILL'), 2 * patience * 1000),
    );
  };
  if (limit !== undefined) {
    timers.push(
      setTimeout(() => {
        timedOut = true;
        stop();
      }, limit * 1000),
    );
  }
  const handle = { stop };
  running.add(handle);
  const end = (code, signal) => {
    timers.forEach(clearTimeout);
    running.delete(handle);
    return { code, signal, timedOut, seconds: (performance.now() - begun) / 1000, ...texts };
  };
  handle.done = new Promise((resolve) => {
    child.on('error', (error) => {
      texts.output += `${command}: ${error.message}\n`;
      resolve(end(127, null));
    });
    child.on('close', (code, signal) => resolve(end(code, signal)));
  });
  return handle;
}

/** Asks all that was started to stop. */
export function stopAll() {
  for (const handle of running) handle.stop();
}

/** Writes a file whole or not at all. */
export function writeJson(path, value) {
  writeFileSync(`${path}.part`, `${JSON.stringify(value, null, 1)}\n`);
  renameSync(`${path}.part`, path);
}
