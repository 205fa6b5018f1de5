// Runs one compiled test file in this process and writes what came of it: node test-file.mjs FILE REPORT
// The report is there from the first test on, so that one which takes the process along is known.
import { renameSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { startTests } from '@vitest/runner';
import { expect } from 'vitest';

const [file, report] = process.argv.slice(2);
let suites = [];
let running;

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
  onCollected: (files) => void (suites = files),
  onBeforeRunTask: (test) => {
    running = test;
    write(false);
  },
};

const messages = (task) => (task.result?.errors ?? []).map((error) => error.stack || error.message || String(error));

function collect(task, path, into) {
  const name = task.filepath === undefined ? [...path, task.name] : path;
  if (task.type !== 'test') {
    into.errors.push(...messages(task));
    task.tasks.forEach((child) => collect(child, name, into));
    return into;
  }
  const { state = 'not run', duration = 0 } = task.result ?? {};
  const entry = { name: name.join(' > '), state, ms: Math.round(duration) };
  if (state === 'run' || state === 'not run') entry.state = task === running ? 'running' : 'not run';
  if (task.mode === 'skip' || task.mode === 'todo') entry.state = 'skip';
  into.tests.push(state === 'fail' ? { ...entry, errors: messages(task) } : entry);
  return into;
}

function write(complete) {
  const found = { tests: [], errors: [] };
  for (const suite of suites) collect(suite, [], found);
  writeFileSync(`${report}.part`, JSON.stringify({ complete, ...found }));
  renameSync(`${report}.part`, report);
  return found;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    write(false);
    process.exit(130);
  });
}

suites = await startTests([file], runner);
const { tests, errors } = write(true);
// Drivers keep threads, and their farewell is not what is tested.
process.exit(errors.length > 0 || tests.some(({ state }) => state !== 'pass' && state !== 'skip') ? 1 : 0);
