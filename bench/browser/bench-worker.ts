import { startEngine } from '../../src/engine/start.js';
import { readCapabilities } from '../../src/gpu/capabilities.js';
import { browserHost } from '../../src/platform/browser/host.js';
import { browserName } from '../../src/platform/browser/runtime.js';
import { ceilingsOf, contextOf } from '../context.js';
import { PaceLog } from '../pace/log.js';
import { runSession, type BenchPlace } from '../session.js';
import type { BenchResult } from '../schema.js';
import type { BenchNews, BenchRequest, ToBenchWorker } from './bench-messages.js';

/** Written in by the build. */
declare const RIDGEPOINT_VERSION: string;

/** What a browser tells of its machine. */
function hostOf(): BenchResult['host'] {
  const { userAgent, hardwareConcurrency, userAgentData } = navigator as Navigator & {
    userAgentData?: { readonly platform?: string };
  };
  const named = /Windows|Mac OS X|Android|CrOS|Linux/.exec(userAgent)?.[0] ?? 'unknown';
  const told = userAgentData?.platform;
  return { os: told === undefined || told === '' ? named : told, cpu: 'unknown', threads: hardwareConcurrency };
}

/** This worker and the browser's GPU, for a benchmark. */
function browserPlace({ engine, model, places, commit, known }: BenchRequest, events: WorkerEvents): BenchPlace {
  const host = browserHost({ ...places, model, shared: false, gpuBytes: undefined });
  return {
    async runsOnCpu() {
      const { adapter, languageFeatures } = await host.openGpu(engine.adapter);
      return readCapabilities(adapter, languageFeatures).isCpu;
    },
    load: (options) => startEngine({ ...options, ...events }, host),
    describe(info) {
      const calibration = known.find(({ adapter, driver }) => adapter === info.adapter && driver === info.driver);
      const around = { ridgepoint: RIDGEPOINT_VERSION, git_commit: commit, calibration: calibration?.date ?? null };
      return Promise.resolve({
        context: contextOf(info, { ...around, runtime: browserName() }),
        host: hostOf(),
        ...(calibration && { ceilings: ceilingsOf(calibration) }),
      });
    },
    openPace: () => PaceLog.open(host, engine.adapter),
  };
}

interface WorkerEvents {
  readonly onProgress: (progress: Extract<BenchNews, { loading: unknown }>['loading']) => void;
  readonly signal: AbortSignal;
}

const tell = (news: BenchNews): void => (globalThis as unknown as Worker).postMessage(news);
const stopped = new AbortController();

async function run(request: BenchRequest): Promise<void> {
  const { signal } = stopped;
  const place = browserPlace(request, { signal, onProgress: (loading) => tell({ loading }) });
  try {
    const events = { signal, onProgress: (progress: RunStep) => tell({ progress }) };
    tell({ result: await runSession(place, request, events) });
  } catch (error) {
    const { name, message } = error as Error;
    tell({ error: name === 'AbortError' ? 'stopped before anything was measured' : message });
  }
}

type RunStep = Extract<BenchNews, { progress: unknown }>['progress'];

globalThis.onmessage = ({ data }: MessageEvent<ToBenchWorker>) => {
  if ('stop' in data) stopped.abort();
  else void run(data.run);
};
