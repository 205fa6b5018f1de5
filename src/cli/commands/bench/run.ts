import { latestPath, readResult, writeResult } from '../../../../bench/store.js';
import { jsonSchema, type BenchResult } from '../../../../bench/schema.js';
import { runSession } from '../../../../bench/session.js';
import { RidgepointError } from '../../../errors.js';
import { benchOptions, type BenchFlags } from './command.js';
import { RunProgress } from '../../terminal/progress.js';
import { engineOptions } from '../../options/common.js';
import { EXIT, stopSignal } from '../../run.js';
import { remark } from '../../terminal/style.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { print } from '../../terminal/output.js';
import { nodePlace } from './node-place.js';
import { printed } from './printed.js';

/**
 * Measures prefill and decode on the real engine, end to end, as llama-bench does, and by operation.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function bench(flags: BenchFlags): Promise<number> {
  if (flags.schema) {
    print(`${JSON.stringify(jsonSchema(), null, 2)}\n`);
    return EXIT.ok;
  }
  const earlier = flags.resume === undefined ? undefined : await readResult(flags.resume);
  const options = earlier?.options ?? benchOptions(flags);
  const tell = !(flags.quiet ?? false);
  const target = flags.resume ?? flags.output;
  await checkWritable(target ?? latestPath());
  const progress = new RunProgress(tell);
  const save = async (result: BenchResult): Promise<void> => {
    if (target === undefined) return writeResult(latestPath(), result);
    // The latest result is a convenience where it has a file of its own.
    await Promise.all([writeResult(target, result), writeResult(latestPath(), result).catch(() => undefined)]);
  };
  const resume = (begun: BenchResult): BenchResult => {
    if (earlier !== undefined) assertSame(earlier, begun, flags.resume!);
    return earlier ?? begun;
  };
  const result = await runSession(
    nodePlace(flags.adapter, tell),
    { options, engine: engineOptions(flags) },
    {
      ...{ signal: stopSignal, onProgress: progress.report, onRecord: save, resume },
      onShareDone: () => progress.end(),
    },
  );

  print(printed(result, flags.format ?? 'markdown'));
  const path = target ?? latestPath();
  if (!result.complete && result.records.length === 0) remark('stopped before anything was measured');
  else if (!result.complete) remark(`stopped; what was measured is in ${path}: go on with --resume ${path}`);
  else if (tell) remark(`written to ${path}; "ridgepoint compare" sets it beside the prediction`);
  return EXIT.ok;
}

/** A run goes on only where it began: numbers of two machines do not belong in one file. */
function assertSame(earlier: BenchResult, now: BenchResult, path: string): void {
  for (const key of ['adapter', 'driver', 'model', 'dtype', 'kv_dtype'] as const) {
    if (earlier.context[key] === now.context[key]) continue;
    throw new RidgepointError(
      'usage',
      `${path}: was measured with ${key} ${JSON.stringify(earlier.context[key])}, this run has ${JSON.stringify(now.context[key])}; resume with the same model and adapter`,
    );
  }
}
