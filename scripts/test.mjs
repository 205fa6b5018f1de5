#!/usr/bin/env node
import './check-node.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { root, setUpOrExit } from './setup.mjs';

await setUpOrExit();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
// `--all` adds the long tests, `*.full.test.ts`, and lets properties be tried as often as they say.
const args = process.argv.slice(2);
const all = args.includes('--all');
const child = spawn(process.execPath, [vitest, 'run', ...args.filter((argument) => argument !== '--all')], {
  cwd: root,
  env: all ? { ...process.env, RIDGEPOINT_TEST_FULL: '1' } : process.env,
  stdio: ['inherit', 'inherit', 'pipe'],
});
// Dawn's remarks on a driver's limits, which it prints at every opening of an adapter, tell nothing about a test.
createInterface(child.stderr).on('line', (line) => {
  if (!/^Warning: max\w+ artificially reduced from /.test(line)) process.stderr.write(`${line}\n`);
});
// The terminal sends these to vitest too; this process waits for it to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`ridgepoint: vitest cannot be started: ${error.message}`);
  process.exit(1);
});
child.on('close', (code) => process.exit(code ?? 1));
