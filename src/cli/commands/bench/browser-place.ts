import { stat } from 'node:fs/promises';
import type { BenchNews, BenchRequest } from '../../../../bench/browser/bench-messages.js';
import { ridgepointOf } from '../../../../bench/environment.js';
import type { BenchResult } from '../../../../bench/schema.js';
import type { BenchWish } from '../../../../bench/session.js';
import { RidgepointError } from '../../../errors.js';
import { HeadlessBrowser } from '../../../platform/node/chromium/headless.js';
import type { ChromiumProgram } from '../../../platform/node/chromium/packed.js';
import { isSwiftShader } from '../../../platform/node/adapter-choice.js';
import { closeAtExit } from '../../run.js';
import { servePage } from '../web/serve-page.js';

/** A benchmark in a browser: what is measured, and how the model is called here. */
export interface BrowserRun extends BenchWish {
  readonly program: ChromiumProgram;
  /** As `--model` has it. */
  readonly model: string | undefined;
  /** As `--adapter` has it. */
  readonly adapter: string | undefined;
}

export interface BrowserRunEvents {
  readonly signal: AbortSignal;
  readonly onNews: (news: Exclude<BenchNews, { result: unknown } | { error: unknown }>) => void;
}

/** Runs in the page, which hands on what its worker says. Plain text, since compilers add names of their own. */
const SCRIPT = `(request) => {
  const tell = (news) => ridgepointNews(JSON.stringify(news));
  const worker = new Worker('/ridgepoint-bench.js', { type: 'module' });
  globalThis.ridgepointStop = () => worker.postMessage({ stop: true });
  worker.onmessage = ({ data }) => tell(data);
  worker.onerror = ({ message }) => tell({ error: message || 'the worker that measures did not start' });
  worker.postMessage({ run: request });
}`;

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

/** The folder that the browser reads a model from; undefined for one that comes along, or a preset. */
async function folderOf(model: string | undefined): Promise<string | undefined> {
  if (model === undefined || (await isFolder(model))) return model;
  if (!model.includes('/')) return undefined;
  // What this machine has of the Hub, the browser need not download.
  const { fetchModel } = await import('../../../platform/node/hub.js');
  return fetchModel(model, {});
}

/**
 * Measures in a browser without a window what `ridgepoint bench` measures in this process.
 *
 * @returns the result, complete unless the signal stopped it
 * @throws RidgepointError in one sentence
 */
export async function runInBrowser(run: BrowserRun, { signal, onNews }: BrowserRunEvents): Promise<BenchResult> {
  const { program, options, engine, model, adapter } = run;
  const folder = await folderOf(model);
  const site = await servePage(0, folder === undefined ? undefined : { folder, by: 'bench.browser' });
  const software = adapter !== undefined && isSwiftShader(adapter);
  const browser = await HeadlessBrowser.open(program, { software });
  closeAtExit(() => browser.close());
  const stop = (): void => void browser.evaluate('globalThis.ridgepointStop?.()').catch(() => undefined);
  try {
    const url = `${site.url}/bench.html`;
    const request: BenchRequest = {
      options,
      // What names things of this machine means nothing there.
      engine: { ...engine, adapter: undefined, autotune: undefined, ...{ model: undefined } },
      model: site.model ?? model,
      places: { modelsUrl: `${site.url}/models/`, pageUrl: url, hubUrl: url, hubToken: undefined, store: false },
      commit: ridgepointOf().git_commit,
      known: [],
    };
    await browser.goTo(url);
    const result = new Promise<BenchResult>((resolve, reject) => {
      const take = (text: string): void => {
        const news = JSON.parse(text) as BenchNews;
        if ('result' in news) resolve(news.result);
        else if ('error' in news) reject(new RidgepointError('adapter', `in the browser: ${news.error}`));
        else onNews(news);
      };
      browser
        .receive('ridgepointNews', take)
        .then(() => browser.evaluate(`(${SCRIPT})(${JSON.stringify(request)})`))
        .catch(reject);
    });
    signal.addEventListener('abort', stop, { once: true });
    return await Promise.race([result, browser.failure]);
  } finally {
    signal.removeEventListener('abort', stop);
    site.close();
    await browser.close();
  }
}
