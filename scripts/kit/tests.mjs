// Runs the kit's tests, a process each, several at a time, those that N seconds leave time for:
// node tests.mjs --output FILE [--workers N] [--seconds N] [FILE...]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { start, stopAll, writeJson } from './process.mjs';

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const { values, positionals } = parseArgs({
  options: {
    output: { type: 'string' },
    workers: { type: 'string' },
    seconds: { type: 'string', default: 'Infinity' },
  },
  allowPositionals: true,
});
const kit = JSON.parse(readFileSync(join(root, 'kit.json'), 'utf8'));
const waiting = positionals.length > 0 ? positionals : [...kit.tests];
const workers = Number(values.workers) || Math.max(1, Math.min(4, Math.floor(availableParallelism() / 2)));

const begun = performance.now();
const scratch = mkdtempSync(join(tmpdir(), 'ridgepoint-tests-'));
const files = waiting.map((file) => ({ file, state: 'waiting', seconds: 0, tests: [], errors: [], worst_errors: {} }));

function save(complete) {
  const all = files.flatMap(({ tests }) => tests);
  const count = (state) => all.filter((test) => test.state === state).length;
  const totals = {
    complete,
    adapters: process.env.RIDGEPOINT_TEST_ADAPTERS ?? 'all',
    seconds: (performance.now() - begun) / 1000,
    passed: count('pass'),
    failed: count('fail'),
    skipped: count('skip'),
    not_run: count('not run') + count('running'),
    files_failed: files.filter(({ state }) => state === 'failed').map(({ file }) => file),
    files_not_run: files.filter(({ state }) => state === 'waiting' || state === 'running').map(({ file }) => file),
  };
  if (values.output) writeJson(values.output, { ...totals, files });
  return totals;
}

async function runFile(entry) {
  entry.state = 'running';
  const path = join(scratch, `${entry.file.replaceAll('/', '_')}.json`);
  const from = performance.now();
  const child = start(process.execPath, [join(root, 'scripts/kit/test-file.mjs'), join(root, entry.file), path], {
    cwd: root,
    env: { ...process.env, RIDGEPOINT_TEST_ERRORS: '1' },
    // Less than whoever runs this has.
    patience: 2,
  });
  const { code, signal, output } = await child.done;
  entry.seconds = (performance.now() - from) / 1000;
  for (const [, name, error] of output.matchAll(/^worst error (.*): (\S+)$/gm))
    entry.worst_errors[name] = Number(error);
  let complete = false;
  try {
    const report = JSON.parse(readFileSync(path, 'utf8'));
    complete = report.complete;
    entry.tests = report.tests;
    entry.errors = report.errors;
  } catch {
    // It ended before its first test.
  }
  if (!complete) {
    const at = entry.tests.find(({ state }) => state === 'running');
    const said = output
      .replace(/^Warning: .*\n/gm, '')
      .trim()
      .slice(-4000);
    entry.errors.push(`ended early, ${signal ?? `exit code ${code}`}${at ? `, at "${at.name}"` : ''}\n${said}`.trim());
  }
  const bad = entry.errors.length > 0 || entry.tests.some(({ state }) => state !== 'pass' && state !== 'skip');
  entry.state = bad ? 'failed' : 'passed';
  console.log(
    `${entry.state.padEnd(6)} ${entry.seconds.toFixed(1).padStart(6)} s  ${entry.file}  ${entry.tests.length} tests`,
  );
  for (const { name, errors } of entry.tests.filter(({ state }) => state === 'fail')) {
    console.log(`  ${name}\n${errors.join('\n')}`);
  }
  entry.errors.forEach((error) => console.log(error));
  save(false);
}

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, end);
}

// What runs then is stopped and kept as far as it came, the rest is said not to have run.
const limit = Number(values.seconds) * 1000;
const timer = Number.isFinite(limit) ? setTimeout(end, limit) : undefined;
function end() {
  stopped = true;
  stopAll();
}

const queue = [...files];
async function work() {
  for (let entry = queue.shift(); entry && !stopped; entry = queue.shift()) await runFile(entry);
}
await Promise.all(Array.from({ length: workers }, work));
clearTimeout(timer);
rmSync(scratch, { recursive: true, force: true });
const { passed, failed, skipped, files_failed: broken, files_not_run: left } = save(!stopped);
console.log(
  `${passed} passed, ${failed} failed, ${skipped} skipped; files: ${broken.length} failed, ${left.length} not run`,
);
process.exit(broken.length + left.length > 0 || stopped ? 1 : 0);
