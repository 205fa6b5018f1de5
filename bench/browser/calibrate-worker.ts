import { browserHost } from '../../src/platform/browser/host.js';
import type { MeasureNews, MeasureRequest } from '../../src/web/measure-messages.js';
import { calibrate } from '../calibrate/calibrate.js';

/** Written in by the build. */
declare const RIDGEPOINT_VERSION: string;

/** A worker that measures the browser's GPU once, for the page that started it. */
async function measure({ modelsUrl, pageUrl, kernels }: MeasureRequest, tell: (news: MeasureNews) => void) {
  const places = { modelsUrl, pageUrl, hubUrl: pageUrl, hubToken: undefined, store: false };
  const host = browserHost({ ...places, model: undefined, shared: false, gpuBytes: undefined });
  try {
    const calibration = await calibrate(host, RIDGEPOINT_VERSION, {
      ceilingsOnly: !kernels,
      onProgress: (progress) => tell({ progress }),
      onSkipped: (skipped) => tell({ skipped }),
    });
    tell({ calibration });
  } catch (error) {
    tell({ error: (error as Error).message });
  }
}

globalThis.onmessage = ({ data }: MessageEvent<MeasureRequest>) =>
  void measure(data, (news) => (globalThis as unknown as Worker).postMessage(news));
