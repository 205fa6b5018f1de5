#!/usr/bin/env node
import './check-node.mjs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root, setUpOrExit } from './setup.mjs';

await setUpOrExit();
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// The terminal sends these to vitest too; this process waits for it to end.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('error', (error) => {
  console.error(`ridgepoint: vitest cannot be started: ${error.message}`);
  process.exit(1);
});
child.on('close', (code) => process.exit(code ?? 1));
