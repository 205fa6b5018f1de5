import { availableParallelism } from 'node:os';
import { hostOf, ridgepointOf } from '../../../../bench/environment.js';
import { kernelPoints } from '../../../../bench/kernels/points.js';
import { runKernels, type MeasuredPoint } from '../../../../bench/kernels/run.js';
import { KERNEL_KINDS, KERNELS_VERSION, kernelsSchema, type KernelsResult } from '../../../../bench/kernels/schema.js';
import { kernelTables } from '../../../../bench/kernels/table.js';
import { writeWhole } from '../../../../bench/store.js';
import { withholdKnown } from '../../../engine/drivers/prepare.js';
import { tierOf, withheldIn } from '../../../gpu/capabilities.js';
import { activationDtype } from '../../../engine/weight-format.js';
import { Gpu } from '../../../gpu/gpu.js';
import { readConfig } from '../../../model/read-config.js';
import { listCalibrations } from '../../../platform/node/calibration-store.js';
import { openAdapter } from '../../../platform/node/dawn.js';
import { nodeHost } from '../../../platform/node/host.js';
import type { BenchKernelsFlags } from './command.js';
import { closeAtExit, EXIT, stopSignal } from '../../run.js';
import { isRewritable, remark } from '../../terminal/style.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { print, status } from '../../terminal/output.js';

const MIB = 1 << 20;
const MODELS = ['llama-2-7b', 'tiny-tales'];
const ROWS = [1, 2, 4, 8, 16, 32, 512];
const CONTEXTS = [512, 2048];
/** Variants of a GPU that are compiled at a time. */
const MOST_AT_ONCE = 8;

/**
 * Times every kernel variant that the adapter can run, at a model's sizes.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function benchKernels(flags: BenchKernelsFlags): Promise<number> {
  const dtype = flags.dtype ?? 'f16';
  const activations = activationDtype(flags.activations, dtype);
  if (flags.output !== undefined) await checkWritable(flags.output);
  const source = flags.unchecked
    ? await openAdapter({ adapter: flags.adapter, unsafeFast: true })
    : await nodeHost.openGpu(flags.adapter);
  const names = flags.model ?? (flags.shapes === undefined ? MODELS : []);
  const models = [];
  for (const name of names) {
    const found = await nodeHost.openModel(name, { signal: stopSignal });
    models.push({ name: found.name, config: readConfig(found) });
  }
  const gpu = await Gpu.open(source);
  await withholdKnown(gpu, nodeHost.drivers);
  closeAtExit(() => gpu.dispose());
  const { isCpu } = gpu.capabilities;
  const calibrations = await listCalibrations();
  const calibration = calibrations
    .map((each) => each.calibration)
    .find(({ adapter, driver }) => adapter === source.name && driver === source.driver);
  const points = kernelPoints(
    {
      models,
      shapes: flags.shapes ?? [],
      kinds: flags.only ?? [...KERNEL_KINDS],
      rows: flags.rows ?? ROWS,
      contexts: flags.contexts ?? CONTEXTS,
      dtype,
      activations,
      kv: flags.kvDtype ?? 'f16',
    },
    gpu.capabilities,
  );
  const budget = flags.budget ?? (isCpu ? 120 : 60);
  const workingBytes = (isCpu ? 128 : 512) * MIB;
  const base = {
    version: KERNELS_VERSION,
    date: new Date().toISOString(),
    adapter: source.name,
    driver: source.driver,
    tier: tierOf(gpu.capabilities),
    ...withheldIn(gpu.capabilities),
    ...ridgepointOf(),
    host: hostOf(),
    calibration: calibration?.date ?? null,
    checks: flags.unchecked !== true,
    timer: gpu.capabilities.timestamps ? 'timestamps' : 'host clock',
    working_bytes: workingBytes,
    budget_s: budget,
  };
  const save = async (run: MeasuredPoint): Promise<{ result: KernelsResult; text: string }> => {
    const result: KernelsResult = kernelsSchema.parse({ ...base, ...run });
    const text = `${JSON.stringify(result, null, 1)}\n`;
    if (flags.output !== undefined) await writeWhole(flags.output, text);
    return { result, text };
  };
  const tell = flags.quiet !== true && isRewritable(process.stderr);
  const run = await runKernels(gpu, points, {
    budgetMs: 1000 * budget,
    workingBytes,
    variants: flags.variants,
    calibration,
    signal: stopSignal,
    within: flags.withinBudget,
    // A CPU driver translates on all cores as it is, and would only be given more to hold.
    atOnce: isCpu ? 1 : Math.min(MOST_AT_ONCE, availableParallelism()),
    onRecords: async (measured) => void (await save(measured)),
    onPoint: (id, index, of) => {
      if (tell) status(`${index + 1} of ${of}: ${id}`);
    },
  });
  if (tell) status();
  const { result, text } = await save(run);
  print(flags.format === 'json' ? text : kernelTables(result));
  if (!result.complete) remark('stopped before every kernel was measured');
  return EXIT.ok;
}
