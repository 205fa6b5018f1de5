// What is run on the bare machine, in which order and within what time.

/** Seconds for everything, with room left in eight minutes for unpacking and a slow start. */
export const TOTAL_SECONDS = 450;
/** Kept back for what comes after the measurements. */
const CLOSING_SECONDS = 30;

const GiB = 2 ** 30;

/**
 * Models to measure: on a software driver the embedded one only.
 *
 * @param {{ quick: boolean, gpuBytes?: number }} machine `gpuBytes`: memory of the GPU; an unknown one is tried
 */
export function models({ quick, gpuBytes }) {
  if (quick) return [{ name: 'tiny-tales', limit: 120, args: ['--quick', '--batches', '1,4', '--repetitions', '2'] }];
  const list = [
    { name: 'tiny-tales', limit: 60, args: sweep([32, 128, 384], [0, 128, 384], [1, 2, 4, 8, 16, 32], 32) },
    { name: 'tinyllama-1.1b', limit: 80, args: sweep([32, 128, 512, 1024], [0, 512, 1024], [1, 2, 4, 8, 16, 32], 32) },
    {
      name: 'llama-2-7b',
      limit: 110,
      args: sweep([32, 128, 512, 1024], [0, 512, 1024], [1, 2, 4, 8], 32),
      least: 20 * GiB,
    },
  ];
  const fitting = list.filter(({ least }) => least === undefined || gpuBytes === undefined || gpuBytes > least);
  return fitting.map((model) =>
    model.name === 'tiny-tales' ? model : { ...model, args: [...ofModel(model.name), ...model.args] },
  );
}

const ofModel = (name) => ['--model', name, '--weights', 'synthetic'];

/** `--quick` for its grid: every batch at one context, every context for one sequence. */
const sweep = (prompts, contexts, batches, gen) => [
  ...['--quick', '--prompts', prompts.join(',')],
  ...['--contexts', contexts.join(',')],
  ...['--batches', batches.join(',')],
  ...['--gen', `${gen}`, '--repetitions', '3'],
];

/** One prompt and one context in fewer bits, for the ratio to the same points of the sweep. */
const precisions = (model, on, details) =>
  ['int8', 'int4'].map((dtype) => ({
    name: `bench ${model} ${dtype}`,
    limit: 30,
    args: ['bench', ...on, ...ofModel(model), '--dtype', dtype, ...sweep([512], [512], [1, 8], 32), '--quiet'],
    file: `${details}/bench-${model}-${dtype}.json`,
  }));

/** Every variant at a model's sizes, as shares of the ceilings. */
const kernels = (model, on, details) => ({
  name: 'bench kernels',
  limit: 70,
  args: [
    ...['bench', 'kernels', ...on, '--model', model, '--only', 'matmul,attention'],
    ...['--rows', '1,8,2048', '--budget', '45', '--quiet'],
  ],
  file: `${details}/kernels.json`,
});

/**
 * The stages after the search for a driver. Each names a program, its arguments, its limit in seconds and the file that
 * it leaves; `needs` is a file without which it makes no sense, `unless` one with which it need not run; `toFile` says
 * that its output is that file.
 *
 * @param {{ quick: boolean, gpuBytes?: number, adapter: string, slow?: boolean, commands: ReadonlySet<string> }} machine
 *   `slow`: a software driver on which there is time for the ceilings alone; `commands`: those that this build has
 * @param {{ out: string, details: string }} folders
 */
export function stages({ quick, gpuBytes, adapter, slow = false, commands }, { out, details }) {
  const calibration = `${out}/calibration.json`;
  const on = ['--adapter', adapter];
  const measured = models({ quick, gpuBytes });
  const correctness = {
    name: 'correctness',
    limit: quick ? 300 : 150,
    script: 'tests.mjs',
    args: [],
    file: `${out}/tests.json`,
  };
  const ceilings = ['calibrate', ...on, '--ceilings-only'];
  const list = [
    ...(slow ? [] : [{ name: 'calibrate', limit: quick ? 120 : 90, args: ['calibrate', ...on], file: calibration }]),
    { name: 'calibrate ceilings', limit: slow ? 120 : 40, args: ceilings, file: calibration, unless: calibration },
    // On a software driver the tests take longest, and are what it is least needed for.
    ...(quick ? [] : [correctness]),
    ...measured.map(({ name, limit, args }) => ({
      name: `bench ${name}`,
      limit,
      args: ['bench', ...on, ...args, '--quiet'],
      file: `${out}/bench-${name}.json`,
    })),
    ...(quick ? [correctness] : precisions(measured.at(-1).name, on, details)),
    ...(quick ? [] : [kernels(measured.at(-1).name, on, details)]),
    ...measured.map(({ name }) => ({
      name: `compare ${name}`,
      limit: 15,
      closing: true,
      args: ['compare', `${out}/bench-${name}.json`, '--json', '--report', `${details}/report-${name}.html`],
      needs: `${out}/bench-${name}.json`,
      toFile: `${details}/compare-${name}.json`,
    })),
    ...measured.slice(quick ? 0 : 1).map(({ name }) => ({
      name: `profile ${name}`,
      limit: 25,
      closing: true,
      args: ['profile', ...on, ...(name === 'tiny-tales' ? [] : ofModel(name)), '--quiet'],
      file: `${details}/trace-${name}.json`,
    })),
  ];
  return list
    .filter(({ args }) => args.length === 0 || commands.has(args[0]))
    .map(({ file, ...stage }) => (file ? { ...stage, file, args: [...stage.args, '--output', file] } : stage));
}

/** Seconds a stage may take, when `left` are left of all; less than 3 are none. */
export function secondsFor({ limit, closing = false }, left) {
  const seconds = Math.min(limit, closing ? left : left - CLOSING_SECONDS);
  return seconds < 3 ? 0 : seconds;
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
