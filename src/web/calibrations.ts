import { calibrationKey } from '../roofline/hardware/calibration-key.js';
import type { Calibration } from '../roofline/hardware/calibration.js';
import type { MeasureNews, MeasureRequest } from './measure-messages.js';

const KEPT = 'ridgepoint calibration';

type Machine = Pick<Calibration, 'adapter' | 'driver'>;

const keyOf = ({ adapter, driver }: Machine): string => `${KEPT} ${calibrationKey(adapter, driver)}`;

/** What was measured of this GPU in this browser. */
export function keptCalibration(machine: Machine): Calibration | undefined {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(machine)) ?? 'null') as Calibration | null;
    // Another version's may lack what this one reads.
    return kept?.version === 1 ? kept : undefined;
  } catch {
    return undefined;
  }
}

function keep(calibration: Calibration): void {
  try {
    localStorage.setItem(keyOf(calibration), JSON.stringify(calibration));
  } catch {
    // Full or forbidden: it holds until the page is left.
  }
}

/** A name that its owner gave to a GPU, since browsers tell none. */
export function gpuName(machine: Machine, given?: string): string {
  const key = `${keyOf(machine)} name`;
  try {
    if (given !== undefined) localStorage.setItem(key, given);
    return localStorage.getItem(key) ?? '';
  } catch {
    return given ?? '';
  }
}

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
        keep(data.calibration);
        resolve(data.calibration);
      }
    };
    const modelsUrl = new URL('models/', location.href).href;
    worker.postMessage({ modelsUrl, pageUrl: location.href, kernels } satisfies MeasureRequest);
  });
  return measured.finally(() => worker.terminate());
}
