// What is run on the bare machine, in which order and within what time.

/** Seconds for everything in one call of ten minutes, with room for unpacking and a slow start. */
export const TOTAL_SECONDS = 560;
/** Kept back for what comes after the measurements. */
const CLOSING_SECONDS = 20;
/** For all attempts at finding a driver together. */
export const DRIVER_SECONDS = 60;

const GiB = 2 ** 30;

/** Models by size, and the memory below which one is not tried. */
const MODELS = [
  { name: 'tiny-tales', sweep: [[32, 128, 384], [0, 128, 384], [1, 8, 32], 32] },
  { name: 'tinyllama-1.1b', sweep: [[128, 512, 1024], [16, 512, 1024], [1, 8, 32], 32] },
  { name: 'llama-2-7b', sweep: [[128, 512, 2048], [16, 512, 2048], [1, 8, 32], 32], least: 20 * GiB },
];

const modelOf = ({ name }) => (name === 'tiny-tales' ? [] : ['--model', name, '--weights', 'synthetic']);

/** `--quick` for its grid: every batch at one context, every context for one sequence. */
const sweep = ([prompts, contexts, batches, gen], repetitions = 3) => [
  ...['--quick', '--prompts', prompts.join(',')],
  ...['--contexts', contexts.join(',')],
  ...['--batches', batches.join(',')],
  ...['--gen', `${gen}`, '--repetitions', `${repetitions}`],
];

const bench = (name, model, [plan, limit], on, file, extra = [], of = model.sweep) => ({
  name,
  plan,
  limit,
  args: ['bench', ...on, ...modelOf(model), ...sweep(of), '--budget', `${plan}`, ...extra, '--quiet'],
  file,
});

const compare = (model, out, details, file = `${out}/bench-${model.name}.json`) => ({
  name: `compare ${model.name}`,
  plan: 2,
  limit: 12,
  closing: true,
  args: ['compare', file, '--json', '--report', `${details}/report-${model.name}.html`],
  needs: file,
  toFile: `${details}/compare-${model.name}.json`,
});

const profile = (model, [plan, limit], on, details) => ({
  name: `profile ${model.name}`,
  plan,
  limit,
  closing: true,
  args: ['profile', ...on, ...modelOf(model), '--quiet'],
  file: `${details}/trace-${model.name}.json`,
});

/** Every variant at a model's sizes, as shares of the ceilings where these are known. */
const kernels = (name, model, [plan, limit], on, file, extra = []) => ({
  name,
  plan,
  limit,
  args: [
    ...['bench', 'kernels', ...on, '--model', model.name, '--rows', '1,8,2048', '--contexts', '512,2048'],
    ...['--budget', `${plan}`, '--within-budget', ...extra, '--quiet'],
  ],
  file,
});

const calibrate = ([plan, limit], on, file) => [
  { name: 'calibrate', plan, limit, args: ['calibrate', ...on], file },
  {
    ...{ name: 'calibrate ceilings', plan: 0, limit: 30, unless: file, file },
    args: ['calibrate', ...on, '--ceilings-only'],
  },
];

const correctness = ([plan, limit], workers, out) => ({
  name: 'correctness',
  plan,
  limit,
  script: 'tests.mjs',
  endsItself: true,
  args: workers === undefined ? [] : ['--workers', `${workers}`],
  file: `${out}/tests.json`,
});

/**
 * On a GPU: first what is known of it nowhere else, so that a run that is cut short has it; last what other machines
 * can tell as well. `plan` is what a stage should take on a card of 80 GB or more, `limit` what it may.
 */
function onGpu({ gpuBytes, on, peer }, { out, details }) {
  const fits = MODELS.filter(({ least }) => least === undefined || gpuBytes === undefined || gpuBytes > least);
  const main = fits.at(-1);
  const rest = fits.slice(0, -1).reverse();
  const few = [[512], [512], [1, 8], 32];
  return [
    {
      ...{ name: 'probe', plan: 15, limit: 45, script: 'probe.mjs', file: `${details}/probe.json` },
      args: [...on, '--model', main.name],
    },
    bench(`bench ${main.name} untuned`, main, [25, 60], on, `${details}/bench-${main.name}-untuned.json`, [
      '--no-autotune',
      '--only',
      'end-to-end',
    ]),
    bench(`bench ${main.name}`, main, [45, 80], on, `${out}/bench-${main.name}.json`),
    kernels('bench kernels', main, [40, 50], on, `${out}/kernels.json`, ['--only', 'matmul,attention']),
    kernels('bench kernels unchecked', main, [30, 40], on, `${details}/kernels-unchecked.json`, [
      ...['--only', 'matmul,attention', '--unchecked'],
    ]),
    ...(peer
      ? [{ name: 'peer', plan: 75, limit: 110, python: 'peer.py', args: ['--seconds', '95'], file: `${out}/peer.json` }]
      : []),
    {
      ...{
        name: `load ${main.name}`,
        plan: 12,
        limit: 60,
        script: '../../bench/day/load.js',
        file: `${details}/load.json`,
      },
      endsItself: true,
      args: [...on, '--model', main.name],
    },
    correctness([60, 90], 8, out),
    ...calibrate([45, 60], on, `${out}/calibration.json`),
    ...['int8', 'int4'].map((dtype) =>
      bench(
        `bench ${main.name} ${dtype}`,
        main,
        [18, 30],
        on,
        `${details}/bench-${main.name}-${dtype}.json`,
        ['--dtype', dtype, '--only', 'end-to-end'],
        few,
      ),
    ),
    compare(main, out, details),
    profile(main, [15, 20], on, details),
    ...rest.map((model) => bench(`bench ${model.name}`, model, [15, 25], on, `${details}/bench-${model.name}.json`)),
    ...rest.map((model) => compare(model, out, details, `${details}/bench-${model.name}.json`)),
  ];
}

/** On a software driver the built-in model alone; the tests take longest there, and are what it is least needed for. */
function onSoftware({ on, slow }, { out, details }) {
  const [small] = MODELS;
  const few = [[32, 128, 384], [0, 128, 384], [1, 4], 16];
  const file = `${out}/calibration.json`;
  const [whole, ceilings] = calibrate([60, 120], on, file);
  return [
    ...(slow ? [{ ...ceilings, plan: 30, limit: 120 }] : [whole, ceilings]),
    bench(`bench ${small.name}`, small, [45, 120], on, `${out}/bench-${small.name}.json`, [], few),
    correctness([120, 300], undefined, out),
    compare(small, out, details),
    profile(small, [10, 25], on, details),
  ];
}

/**
 * The stages after the search for a driver. Each names a program, its arguments, the seconds it should take and may
 * take, and the file that it leaves; `needs` is a file without which it makes no sense, `unless` one with which it need
 * not run; `toFile` says that its output is that file; one that is `closing` may use the time that others leave alone; one
 * that `endsItself` takes `--seconds`, and writes by then what it has.
 *
 * @param {{ quick: boolean, gpuBytes?: number, adapter: string, slow?: boolean, peer?: boolean }} machine `gpuBytes`:
 *   memory of the GPU, an unknown one is tried; `slow`: a software driver on which there is time for the ceilings alone;
 *   `peer`: whether PyTorch is to be measured
 * @param {{ out: string, details: string }} folders
 */
export function stages({ quick, gpuBytes, adapter, slow = false, peer = true }, folders) {
  const on = ['--adapter', adapter];
  const list = quick ? onSoftware({ on, slow }, folders) : onGpu({ gpuBytes, on, peer }, folders);
  return list.map(({ file, ...stage }) => (file ? { ...stage, file, args: [...stage.args, '--output', file] } : stage));
}

/** Seconds a stage may take, when `left` are left of all; less than 3 are none. */
export function secondsFor({ limit, closing = false }, left) {
  const seconds = Math.min(limit, closing ? left : left - CLOSING_SECONDS);
  return seconds < 3 ? 0 : seconds;
}

/** Seconds that a stage is told which ends by itself: a little less than it may take. */
export const ownSeconds = (limit) => Math.max(1, Math.floor(limit - Math.max(2, 0.08 * limit)));

/** Whether an earlier run's stage need not be run again: it ended by itself, with what it was to find out. */
export function isDone({ name, exit }, { tests } = {}) {
  return exit === 0 || (name === 'correctness' && tests?.complete === true);
}

/** A name for a run's results that tells what it ran on: adapter, driver, day. */
export function resultName(adapter, driver, date) {
  const plain = (text) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9.]+/g, '-')
      .replace(/^-+|-+$/g, '');
  const version = /\d+(\.\d+)+/.exec(driver)?.[0] ?? plain(driver);
  return `${plain(adapter.replace(/\(.*\)/, ''))}_${version}_${date.slice(0, 10)}`;
}
