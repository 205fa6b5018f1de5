// Runs on the bare machine, started by run.sh once the kit is unpacked: finds a driver, runs the stages, writes results.
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { attempts, nvidiaManifests, writeManifests } from './driver.mjs';
import { start, stopAll, writeJson } from './process.mjs';
import { DRIVER_SECONDS, isDone, ownSeconds, resultName, secondsFor, stages, TOTAL_SECONDS } from './stages.mjs';

const app = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const cli = join(app, 'src', 'cli', 'main.js');
const here = dirname(fileURLToPath(import.meta.url));
/** All that a run may leave, besides `bench-MODEL.json`. */
const RESULTS = /^(summary|calibration|tests|kernels|peer|bench-[\w.-]+)\.json$|^details\.tar\.gz$|^report\.html$/;
/** What is masked when the probe does not come through, and then besides; see RIDGEPOINT_DISABLE. */
const MASKS = ['subgroup-matrix', 'subgroup-matrix,f16', 'subgroup-matrix,f16,subgroups'];
const LARGEST_RESULT = 16 * 1024 * 1024;

const { values: options } = parseArgs({
  options: {
    output: { type: 'string' },
    unpacked: { type: 'string' },
    spent: { type: 'string', default: '0' },
    seconds: { type: 'string', default: `${TOTAL_SECONDS}` },
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    software: { type: 'boolean', default: false },
    // Results of an earlier run: what it has is not measured again.
    resume: { type: 'string' },
    // PyTorch's figures from a file, instead of measuring them.
    peer: { type: 'string' },
    // Where a copy of the results goes, so that a later run can resume.
    keep: { type: 'string' },
  },
});
const total = Number(options.seconds);
if (!(total > 0)) {
  console.error(`run.sh: --seconds must be a number above 0, found ${options.seconds}`);
  process.exit(2);
}
const out = options.output;
const details = join(options.unpacked, 'details');
const logs = join(details, 'logs');
mkdirSync(logs, { recursive: true });
const earlier = options.resume ? takeUp(options.resume) : undefined;
if (!earlier) for (const name of readdirSync(out)) if (RESULTS.test(name)) rmSync(join(out, name));

const begun = Date.now() - Number(options.spent) * 1000;
const elapsed = () => (Date.now() - begun) / 1000;
const kit = JSON.parse(readFileSync(join(app, 'kit.json'), 'utf8'));
const summary = {
  version: 1,
  complete: false,
  date: new Date(begun).toISOString(),
  seconds: 0,
  name: null,
  adapter: null,
  driver: null,
  source: null,
  quick: options.quick,
  kit: Object.fromEntries(
    ['commit', 'commit_date', 'ridgepoint', 'node', 'dawn', 'loader'].map((key) => [key, kit[key]]),
  ),
  machine: {
    os: `${type()} ${release()}`,
    distribution: /^PRETTY_NAME="?([^"\n]*)/m.exec(readOr('/etc/os-release', ''))?.[1] ?? 'unknown',
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    threads: availableParallelism(),
    memory_bytes: totalmem(),
    nvidia: nvidiaSmi(),
  },
  /** Capabilities that were masked, since the probe crashed with them. */
  disabled: earlier?.disabled ?? null,
  driver_search: [],
  stages: (earlier?.stages ?? [])
    .filter((stage) => isDone(stage, earlier))
    .map((stage) => ({ ...stage, earlier: true })),
  tests: earlier?.tests ?? null,
  errors: {},
};
const save = () => writeJson(join(out, 'summary.json'), { ...summary, seconds: rounded(elapsed()) });

let stopped = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    stopped = true;
    stopAll();
  });
}

const found = await findDriver();
save();
if (found) await runStages(found);
close();
const bad = summary.stages.filter(({ exit }) => exit !== 0);
console.log(
  `${summary.stages.length - bad.length} of ${summary.stages.length} stages done in ${elapsed().toFixed(0)} s; results in ${out}`,
);
process.exit(found && bad.length === 0 && !stopped ? 0 : 1);

/** What nvidia-smi knows of the first GPU; undefined without it. */
function nvidiaSmi() {
  const fields = [
    'name',
    'driver_version',
    'memory.total',
    'clocks.max.sm',
    'clocks.max.memory',
    'power.limit',
    'vbios_version',
  ];
  const { status, stdout } = spawnSync(
    'nvidia-smi',
    [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'],
    {
      encoding: 'utf8',
      timeout: 10_000,
    },
  );
  if (status !== 0) return undefined;
  const values = stdout
    .split('\n')[0]
    .split(',')
    .map((text) => text.trim());
  return Object.fromEntries(fields.map((field, i) => [field, values[i]]));
}

/** The first environment in which there is a GPU, else the first with any adapter. */
async function findDriver() {
  const manifests = nvidiaManifests();
  const hasNvidia =
    existsSync('/dev/nvidiactl') || existsSync('/proc/driver/nvidia') || summary.machine.nvidia !== undefined;
  writeManifests(options.unpacked);
  const list = attempts({
    env: process.env,
    unpacked: options.unpacked,
    manifests,
    hasNvidia,
    software: options.software,
  });
  let spare;
  for (const { name, env: changes } of list) {
    // The last one finds nothing that an earlier one did not.
    if (stopped || (spare && name === list.at(-1).name)) break;
    const env = changed(process.env, changes);
    // The last is the kit's own driver, for which there is always time.
    const left = name === list.at(-1).name ? 20 : DRIVER_SECONDS - elapsed();
    if (left < 3) continue;
    const run = await start(process.execPath, [cli, 'devices', '--json'], { env, limit: Math.min(25, left) }).done;
    const adapters = run.code === 0 ? JSON.parse(run.stdout) : [];
    const wanted = adapters.filter(({ source }) => !options.software || source !== 'hardware');
    const adapter = wanted.find((each) => each.default) ?? wanted[0];
    const attempt = {
      name,
      env: Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, inFolders(value ?? '')])),
      exit: exitOf(run),
      seconds: rounded(run.seconds),
      adapters: adapters.map((each) => `${each.name}: ${each.driver}`),
      ...(run.code === 0
        ? {}
        : { said: inFolders([...new Set(run.output.trim().split('\n'))].join('\n')).slice(-2000) }),
    };
    summary.driver_search.push(attempt);
    console.log(`${name}: ${attempt.adapters.join('; ') || lastLine(run.output)}`);
    if (!adapter) {
      attempt.linker = await answers(env);
      continue;
    }
    const choice = { env, adapter, adapters, run, name };
    if (adapter.source === 'hardware') return choose(choice);
    spare ??= choice;
    if (options.software) break;
    if (hasNvidia) attempt.linker = await answers(env);
  }
  if (spare) return choose(spare);
  summary.stages.push({
    name: 'devices',
    exit: 1,
    seconds: rounded(elapsed()),
    note: 'no adapter, not even the software driver of the kit',
  });
  return undefined;
}

async function answers(env) {
  const { stdout, output } = await start(process.execPath, [join(here, 'driver.mjs'), '--answers'], { env, limit: 10 })
    .done;
  try {
    return JSON.parse(stdout);
  } catch {
    return output.slice(-500);
  }
}

function choose({ env, adapter, adapters, run, name }) {
  const { driver, source } = adapter;
  Object.assign(summary, {
    adapter: adapter.name,
    driver,
    source,
    name: resultName(adapter.name, driver, summary.date),
  });
  summary.quick ||= source !== 'hardware' && !options.full;
  summary.stages = summary.stages.filter((stage) => stage.name !== 'devices');
  summary.stages.push({ name: 'devices', exit: 0, seconds: rounded(run.seconds), note: name });
  writeJson(join(details, 'devices.json'), adapters);
  if (source !== 'hardware') {
    console.log(
      `no GPU ${options.software ? 'wanted' : 'found'}: running on ${adapter.name}${summary.quick ? ', with fewer points (--quick)' : ''}`,
    );
  }
  return { env, adapter };
}

async function runStages({ env, adapter }) {
  const label = /swiftshader/i.test(adapter.name)
    ? 'swiftshader'
    : /llvmpipe/i.test(adapter.name)
      ? 'lavapipe'
      : adapter.name;
  if (summary.disabled) env = { ...env, RIDGEPOINT_DISABLE: summary.disabled };
  env = { ...env, RIDGEPOINT_TEST_ADAPTERS: label.split(',')[0], NO_COLOR: '1' };
  const mebibytes = Number(summary.machine.nvidia?.['memory.total']);
  const machine = {
    quick: summary.quick,
    gpuBytes: mebibytes > 0 ? mebibytes * 2 ** 20 : undefined,
    adapter: adapter.name,
    slow: label === 'swiftshader',
    peer: options.peer === undefined,
  };
  if (options.peer !== undefined) copyFileSync(options.peer, join(out, 'peer.json'));
  for (const stage of stages(machine, { out, details })) {
    if (stopped) break;
    if (stage.unless && existsSync(stage.unless)) continue;
    if (summary.stages.some(({ name, earlier: done }) => done && name === stage.name)) {
      console.log(`  earlier  ${stage.name}`);
      continue;
    }
    const entry = { name: stage.name, exit: null, seconds: 0 };
    summary.stages.push(entry);
    const limit = secondsFor(stage, total - elapsed());
    if (stage.needs && !existsSync(stage.needs)) Object.assign(entry, { note: 'not run: there is nothing to compare' });
    else if (limit === 0) Object.assign(entry, { note: 'not run: no time left' });
    else await runStage(stage, entry, limit, env);
    if (stage.name === 'probe' && entry.exit !== 0 && entry.exit !== null) {
      env = await withoutWhatCrashes(stage, env);
    }
    const outcome = entry.note ?? (entry.exit === 0 ? 'done' : `exit code ${entry.exit}: ${entry.said}`);
    console.log(`${entry.seconds.toFixed(1).padStart(6)} s  ${stage.name}: ${outcome}`);
    save();
    keepResults();
  }
}

/** A driver that cannot compile the default kernels is asked for less, the newest things first. */
async function withoutWhatCrashes(stage, env) {
  for (const mask of MASKS) {
    const masked = { ...env, RIDGEPOINT_DISABLE: mask };
    const limit = secondsFor(stage, total - elapsed());
    if (limit === 0 || stopped) break;
    const entry = { name: `probe without ${mask}`, exit: null, seconds: 0 };
    summary.stages.push(entry);
    await runStage({ ...stage, name: entry.name }, entry, limit, masked);
    console.log(`${entry.seconds.toFixed(1).padStart(6)} s  ${entry.name}: exit code ${entry.exit}`);
    if (entry.exit !== 0) continue;
    summary.disabled = mask;
    console.log(`          going on without ${mask}`);
    return masked;
  }
  return env;
}

async function runStage(stage, entry, limit, env) {
  process.stdout.write(`          ${stage.name} ...\n`);
  const program = stage.python ?? stage.script;
  const args = stage.endsItself ? [...stage.args, '--seconds', `${ownSeconds(limit)}`] : stage.args;
  const path = program ? join(here, program) : cli;
  // The machine's own Python has the machine's own environment.
  const run = stage.python
    ? await start('python3', [path, ...args], { cwd: app, env: process.env, limit }).done
    : await start(process.execPath, [path, ...args], { cwd: app, env, limit }).done;
  Object.assign(entry, {
    command: [program ?? 'ridgepoint', ...args.map(inFolders)].join(' '),
    plan_seconds: stage.plan,
    exit: exitOf(run),
    seconds: rounded(run.seconds),
    limit_seconds: rounded(limit),
  });
  if (run.timedOut) entry.note = `stopped at its limit of ${limit.toFixed(0)} s`;
  if (entry.exit !== 0) entry.said = lastLine(run.output);
  writeFileSync(join(logs, `${stage.name.replaceAll(' ', '-')}.log`), run.output);
  if (stage.toFile && run.code === 0) writeFileSync(stage.toFile, run.stdout);
  if (stage.name.startsWith('calibrate') && run.code === 0) keepCalibration(stage.file);
  if (stage.name.startsWith('bench ')) stampCommit(stage.file);
  if (stage.python && run.code === 127) Object.assign(entry, { note: 'not run: this machine has no python3' });
  if (stage.name === 'correctness') tellTests(stage.file);
}

/** Where predictions look for it: `--output` writes it elsewhere alone. */
function keepCalibration(file) {
  const folder = join(process.env.XDG_CACHE_HOME, 'ridgepoint', 'calibration');
  mkdirSync(folder, { recursive: true });
  copyFileSync(file, join(folder, 'kit.json'));
}

/** The unpacked kit is no checkout, so the command line cannot know its commit. */
function stampCommit(file) {
  if (!existsSync(file)) return;
  const text = readFileSync(file, 'utf8').replaceAll(
    '"git_commit": null',
    `"git_commit": ${JSON.stringify(kit.commit)}`,
  );
  writeFileSync(`${file}.part`, text);
  copyFileSync(`${file}.part`, file);
  rmSync(`${file}.part`);
}

function tellTests(file) {
  if (!existsSync(file)) return;
  const { files, ...totals } = JSON.parse(readFileSync(file, 'utf8'));
  const failed = files.flatMap(({ tests }) => tests.filter(({ state }) => state === 'fail').map(({ name }) => name));
  summary.tests = { ...totals, failures: failed.slice(0, 50) };
}

/** Takes up an earlier run: its results go where this one's will. @returns its summary, if there is one */
function takeUp(folder) {
  if (!existsSync(join(folder, 'summary.json'))) return undefined;
  for (const name of readdirSync(folder).filter((each) => RESULTS.test(each))) {
    if (folder !== out) copyFileSync(join(folder, name), join(out, name));
  }
  const archive = join(out, 'details.tar.gz');
  if (existsSync(archive)) spawnSync('tar', ['-xzf', archive, '-C', options.unpacked, '--no-same-owner']);
  if (existsSync(join(out, 'calibration.json'))) keepCalibration(join(out, 'calibration.json'));
  return JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8'));
}

/** The archive of what is no file of its own, and a copy of all for a run that resumes. */
function keepResults() {
  spawnSync('tar', ['-czf', join(out, 'details.tar.gz'), '-C', options.unpacked, 'details']);
  if (!options.keep) return;
  mkdirSync(options.keep, { recursive: true });
  for (const name of readdirSync(out).filter((each) => RESULTS.test(each))) {
    copyFileSync(join(out, name), join(options.keep, name));
  }
}

/** Writes the page, and gathers what is left. */
function close() {
  for (const name of readdirSync(details).filter((each) => each.startsWith('compare-'))) {
    try {
      const { errors } = JSON.parse(readFileSync(join(details, name), 'utf8'));
      summary.errors[name.slice('compare-'.length, -'.json'.length)] = errors;
    } catch {
      // It was stopped while it wrote.
    }
  }
  save();
  const page = spawnSync(
    process.execPath,
    [
      join(app, 'bench', 'day', 'main.js'),
      '--results',
      out,
      '--details',
      details,
      '--output',
      join(out, 'report.html'),
    ],
    { encoding: 'utf8', timeout: 20_000 },
  );
  if (page.status !== 0) {
    const said = lastLine(`${page.stdout ?? ''}${page.stderr ?? ''}`);
    summary.stages.push({ name: 'page', exit: page.status ?? 1, seconds: 0, note: said });
  }
  keepResults();
  for (const name of readdirSync(out).filter((each) => RESULTS.test(each))) {
    if (statSync(join(out, name)).size <= LARGEST_RESULT) continue;
    summary.stages.push({
      name: `keep ${name}`,
      exit: 1,
      seconds: 0,
      note: `removed: larger than ${LARGEST_RESULT} bytes`,
    });
    rmSync(join(out, name));
  }
  summary.complete = !stopped;
  save();
  keepResults();
}

function changed(env, changes) {
  const result = { ...env };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
}

/** As a shell has it: 124 for a time limit, 128 and the signal's number for a signal. */
function exitOf({ code, signal, timedOut }) {
  if (timedOut) return 124;
  return code ?? { SIGINT: 130, SIGABRT: 134, SIGKILL: 137, SIGSEGV: 139, SIGTERM: 143 }[signal] ?? 128;
}

/** The complaint in what a program printed: its own last word, else the last line that is no stack's. */
function lastLine(text) {
  const lines = text.trim().split('\n');
  const own = lines.findLast((line) => line.startsWith('ridgepoint: '));
  return inFolders(own ?? lines.findLast((line) => !/^(\s+at |Warning: max)/.test(line)) ?? '').slice(0, 300);
}

/** Paths as they are inside the folders of a run: where those lie says nothing. */
function inFolders(text) {
  return [`${out}/`, `${details}/`, `${options.unpacked}/`].reduce((rest, folder) => rest.replaceAll(folder, ''), text);
}

/** Seconds to the millisecond. */
function rounded(seconds) {
  return Math.round(seconds * 1000) / 1000;
}

function readOr(path, otherwise) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
