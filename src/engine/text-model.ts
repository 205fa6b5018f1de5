import type { ModelSource } from '../model/open.js';
import type { EngineOptions, LoadTimings } from './api.js';
import type { EngineHost } from './host.js';
import { judgeModel, type JudgedModel } from './model-opening.js';
import { LoadClock } from './start-context.js';

/** A model without its weights, for who only needs its texts. */
export interface TextModel extends JudgedModel {
  readonly timings: LoadTimings;
}

/**
 * Opens a model's small files. Of one on the Hub nothing else is fetched.
 *
 * @throws RidgepointError naming the file or option that is wrong
 */
export async function openTextModel(
  options: Pick<EngineOptions, 'model' | 'chatTemplate' | 'onProgress' | 'signal'>,
  host: Pick<EngineHost, 'openModel'>,
): Promise<TextModel> {
  const clock = new LoadClock();
  const { onProgress, signal } = options;
  const enough = new Error('all but the weights is there');
  let judged: JudgedModel | undefined;
  const judge = async (source: ModelSource): Promise<JudgedModel> =>
    (judged = await clock.time('tokenizer', judgeModel(source, options)));
  const stop = async (source: ModelSource): Promise<never> => {
    await judge(source);
    throw enough;
  };
  try {
    const source = await host.openModel(options.model, { onProgress, signal, judge: stop });
    await judge(source);
  } catch (error) {
    if (error !== enough) throw error;
  }
  return { ...judged!, timings: clock.timings() };
}
