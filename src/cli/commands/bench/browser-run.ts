import { dirname, join } from 'node:path';
import { compareResults } from '../../../../bench/compare/results/compare-results.js';
import { resultsText } from '../../../../bench/compare/results/results-text.js';
import { runSession } from '../../../../bench/session.js';
import { latestPath, writeResult } from '../../../../bench/store.js';
import { overview } from '../../../../bench/tables/overview.js';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { findChromium } from '../../../platform/node/chromium/find.js';
import { checkWritable } from '../../../platform/node/whole-file.js';
import { engineOptions } from '../../options/common.js';
import { EXIT, stopSignal } from '../../run.js';
import { print } from '../../terminal/output.js';
import { RunProgress } from '../../terminal/progress.js';
import { remark } from '../../terminal/style.js';
import { runInBrowser } from './browser-place.js';
import { benchOptions, type BenchFlags } from './command.js';
import { nodePlace } from './node-place.js';
import { printed } from './printed.js';

/** Where the latest result of a browser is kept. */
const latestOfBrowser = (): string => join(dirname(latestPath()), 'latest-browser.json');

/**
 * Measures in this process, then in a browser on the same machine, and says what the browser costs.
 *
 * @returns the exit code
 * @throws RidgepointError in one sentence
 */
export async function benchBrowser(flags: BenchFlags): Promise<number> {
  if (flags.resume !== undefined)
    throw new RidgepointError(
      'usage',
      words`${option('bench.resume')} goes on in this process; leave out ${option('bench.browser')}`,
    );
  const options = benchOptions(flags);
  const program = await findChromium(typeof flags.browser === 'string' ? flags.browser : undefined);
  const target = flags.output ?? latestOfBrowser();
  await checkWritable(target);
  const tell = !(flags.quiet ?? false);
  const progress = new RunProgress(tell);
  const engine = engineOptions(flags);
  const events = { signal: stopSignal, onProgress: progress.report, onShareDone: () => progress.end() };
  const own = await runSession(nodePlace(flags.adapter, tell), { options, engine }, events);
  if (own.records.length > 0) await writeResult(latestPath(), own);
  if (stopSignal.aborted) {
    remark('stopped before the browser was measured');
    return EXIT.ok;
  }
  // A browser's engine is more modest by itself; here both are to do the same.
  const same = { ...engine, contextLength: own.model.context_length };
  const inBrowser = new RunProgress(tell);
  const result = await runInBrowser(
    { program, options, engine: same, model: flags.model, adapter: flags.adapter },
    {
      signal: stopSignal,
      onNews: (news) => 'progress' in news && inBrowser.report(news.progress),
    },
  ).finally(() => inBrowser.end());
  await writeResult(target, result);

  const format = flags.format ?? 'markdown';
  if (format !== 'markdown') print(printed(result, format));
  else {
    const named = [
      { name: 'Node', result: own },
      { name: result.context.runtime ?? 'browser', result },
    ];
    print(`${overview(result)}\n# What the browser costs\n\n${resultsText(compareResults(named))}`);
  }
  if (tell) remark(`written to ${target}; that of Node is in ${latestPath()}`);
  return EXIT.ok;
}
