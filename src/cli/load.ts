import type { EngineOptions, LoadProgress } from '../engine/api.js';
import { Engine } from '../index.js';
import { LoadingBar } from './terminal/progress.js';
import { closeAtExit, stopSignal } from './run.js';
import { remark } from './terminal/style.js';

/** How long loading may take to notice that it was stopped, in milliseconds. */
const STOP_PATIENCE = 1000;

/**
 * Loads an engine with a progress bar and sees to it that it is closed. A driver that could be better is mentioned
 * once.
 *
 * @param tell whether anything may be said on standard error
 * @param warn whether what is odd about the model's files is said there
 */
export async function loadEngine(options: EngineOptions, tell: boolean, warn = tell): Promise<Engine> {
  const bar = tell ? new LoadingBar(options.model?.replace(/.*[/\\](?=.)/, '') ?? 'tiny-tales') : undefined;
  const settled = new AbortController();
  try {
    const onProgress = (progress: LoadProgress): void => {
      bar?.report(progress);
      options.onProgress?.(progress);
    };
    const loading = Engine.load({ ...options, signal: stopSignal, onProgress });
    loading.then(
      (engine) => closeAtExit(() => engine.dispose()),
      () => undefined, // told to whoever awaits it below
    );
    const engine = await Promise.race([loading, whenStopped(settled.signal)]);
    stopSignal.throwIfAborted();
    bar?.end();
    if (warn) for (const notice of engine.notices) remark(notice);
    if (tell && engine.hint !== undefined) remark(engine.hint);
    if (tell && engine.driverRemark !== undefined) remark(engine.driverRemark);
    return engine;
  } finally {
    settled.abort();
    bar?.end();
  }
}

/** Rejects a while after the run was stopped, for the stages of loading that do not look at the signal; not once settled. */
function whenStopped(settled: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stopped = () => setTimeout(() => reject(stopSignal.reason), STOP_PATIENCE).unref();
    if (stopSignal.aborted) stopped();
    else stopSignal.addEventListener('abort', stopped, { once: true, signal: settled });
  });
}
