// Runs one compiled test file in this process and writes what came of it: node test-file.mjs FILE REPORT
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { startTests } from '@vitest/runner';
import { expect } from 'vitest';

const [file, report] = process.argv.slice(2);
const tests = [];
const errors = [];

const runner = {
  config: {
    root: process.cwd(),
    name: '',
    setupFiles: [],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    retry: 0,
    maxConcurrency: 1,
    passWithNoTests: false,
    allowOnly: true,
    includeTaskLocation: false,
    sequence: { hooks: 'stack', setupFiles: 'list', shuffle: false, concurrent: false, seed: 1 },
    diffOptions: {},
    tags: [],
    strictTags: false,
  },
  importFile: (path) => import(pathToFileURL(path).href),
  extendTaskContext: (context) => Object.assign(context, { expect }),
};

const messages = (task) => (task.result?.errors ?? []).map((error) => error.stack || error.message || String(error));

function collect(task, path) {
  const name = task.filepath === undefined ? [...path, task.name] : path;
  if (task.type === 'test') {
    const state = task.result?.state ?? (task.mode === 'run' ? 'unfinished' : 'skip');
    const entry = { name: name.join(' > '), state, ms: Math.round(task.result?.duration ?? 0) };
    tests.push(state === 'fail' ? { ...entry, errors: messages(task) } : entry);
  } else {
    errors.push(...messages(task));
    task.tasks.forEach((child) => collect(child, name));
  }
}

for (const task of await startTests([file], runner)) collect(task, []);
writeFileSync(report, JSON.stringify({ tests, errors }));
// Drivers keep threads, and their farewell is not what is tested.
process.exit(errors.length > 0 || tests.some(({ state }) => state === 'fail' || state === 'unfinished') ? 1 : 0);
