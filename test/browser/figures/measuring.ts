import type { Calibration } from '../../../src/roofline/hardware/calibration.js';
import type { MeasureNews } from '../../../src/web/measure-messages.js';
import type { Tab } from './tab.js';

/**
 * Has a tab measure its GPU as the page does.
 *
 * @param script of the worker, below `/site/`
 * @param kernels whether the engine's kernels are measured, too
 * @throws Error with what the worker says is wrong
 */
export function calibrateIn(tab: Tab, script: string, kernels: boolean): Promise<Calibration> {
  return tab.evaluate(
    async ([script, kernels]) => {
      const worker = new Worker(`/site/${script}`, { type: 'module' });
      try {
        return await new Promise<Calibration>((resolve, reject) => {
          worker.onerror = ({ message }) => reject(new Error(message || 'the worker did not start'));
          worker.onmessage = ({ data }: MessageEvent<MeasureNews>) => {
            if ('error' in data) reject(new Error(data.error));
            if ('calibration' in data) resolve(data.calibration);
          };
          const modelsUrl = new URL('/package/models/', location.href).href;
          worker.postMessage({ modelsUrl, pageUrl: location.href, kernels });
        });
      } finally {
        worker.terminate();
      }
    },
    [script, kernels] as const,
  );
}
