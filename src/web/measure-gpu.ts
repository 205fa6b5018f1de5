import type { Calibration } from '../roofline/hardware/calibration.js';
import { keepCalibration } from './calibrations.js';
import type { MeasureNews, MeasureRequest } from './measure-messages.js';

/**
 * Measures the GPU in a worker of its own, and keeps what it finds.
 *
 * @param kernels whether the engine's kernels are measured, too
 * @param told of what is being measured, and of what cannot be
 * @throws Error in words; where the signal ends it, its reason
 */
export function measureGpu(
  kernels: boolean,
  told: { readonly progress: (what: string) => void; readonly skipped: (what: string) => void },
  signal: AbortSignal,
): Promise<Calibration> {
  const worker = new Worker(new URL('ridgepoint-measure.js', location.href), { type: 'module' });
  const measured = new Promise<Calibration>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    worker.onerror = ({ message }) => reject(new Error(message || 'the worker that measures did not start'));
    worker.onmessage = ({ data }: MessageEvent<MeasureNews>) => {
      if ('progress' in data) told.progress(data.progress);
      else if ('skipped' in data) told.skipped(data.skipped);
      else if ('error' in data) reject(new Error(data.error));
      else {
        keepCalibration(data.calibration);
        resolve(data.calibration);
      }
    };
    const modelsUrl = new URL('models/', location.href).href;
    worker.postMessage({ modelsUrl, pageUrl: location.href, kernels } satisfies MeasureRequest);
  });
  return measured.finally(() => worker.terminate());
}
