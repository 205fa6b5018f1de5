import type { TextEngine } from '../../../src/engine/api.js';
import { RidgepointError } from '../../../src/errors.js';
import { option, words } from '../../../src/wording.js';
import { engineDriver, type SamplingChoice } from '../drivers/engine-driver.js';
import { StepLog } from '../step-log.js';
import type { PolicyName } from '../../../src/scheduler/policies/index.js';
import type { CacheStats, Target } from './target.js';

/** What is needed of an engine. */
export type ServedEngine = Pick<TextEngine, 'generate' | 'config' | 'info' | 'dispose'> & {
  /** Resolves when what compiles in the background has. */
  readonly ready?: Promise<void>;
  stats?(): CacheStats;
};

/** An engine in this process. @param load opens one; what it is given learns of each step that has run */
export function engineTarget(
  load: (policy: PolicyName | undefined, onStep: StepLog['observe']) => Promise<ServedEngine>,
  sampling: SamplingChoice,
  onLoaded: (engine: ServedEngine) => void = () => undefined,
): Target {
  return {
    open: async (policy) => {
      const steps = new StepLog();
      const engine = await load(policy, steps.observe);
      if (policy !== undefined && engine.stats === undefined) {
        throw new RidgepointError(
          'usage',
          words`${option('benchServe.policies')}: this engine has one policy; leave ${policy} away`,
        );
      }
      await engine.ready;
      onLoaded(engine);
      return {
        contextLength: engine.info.contextLength,
        driver: (workload) => engineDriver(engine, workload, sampling),
        stats: () => engine.stats?.(),
        steps,
        prefillChunk: engine.info.prefillChunk,
        close: () => engine.dispose(),
      };
    },
  };
}
