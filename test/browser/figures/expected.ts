import type { EngineInfo, GenerationResult } from '../../../src/engine/api.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { fromCalibration } from '../../../src/roofline/hardware/hardware.js';
import { median } from '../../../src/statistics.js';
import { expectedOf, loadedPredictor } from '../../../src/web/expectation.js';
import { calibrateIn } from './measuring.js';
import type { Built, Tab } from './tab.js';

const TIMES = 5;
const LONG = 'Once upon a time there was a little dog who lived in a house by the sea. '.repeat(8);
const REQUESTS = [
  ['Once upon a time', 32],
  ['Once upon a time', 128],
  [LONG, 64],
] as const;

interface Replies {
  readonly info: EngineInfo;
  readonly config: ModelConfig;
  readonly results: readonly (readonly GenerationResult[])[];
}

/** Replies in a tab, after a first one that is not counted, in rounds over the requests. */
const repliesIn = (tab: Tab): Promise<Replies> =>
  tab.evaluate(
    async ([requests, times]) => {
      const engine = await window.ridgepoint.Engine.load();
      await engine.ready;
      const results: GenerationResult[][] = requests.map(() => []);
      for (let time = -1; time < times; time++) {
        for (const [at, [prompt, maxTokens]] of requests.entries()) {
          const options = { temperature: 0, maxTokens, ignoreEos: true };
          const result = await engine.generate(prompt, options).result;
          if (time >= 0) results[at].push(result);
        }
      }
      const { info, config } = engine;
      await engine.dispose();
      return { info, config, results };
    },
    [REQUESTS, TIMES] as const,
  );

/** What a tab that measured its GPU expects of replies, beside what they take. */
async function beside(tab: Tab): Promise<string[]> {
  const calibration = await calibrateIn(tab, 'ridgepoint-measure.js', true);
  const { info, config, results } = await repliesIn(tab);
  const predictor = loadedPredictor({ info, config }, fromCalibration(calibration))!;
  return results.map((runs, at) => {
    const { ttftSeconds, tpotSeconds } = expectedOf(predictor, runs[0])!;
    const ratio = (expected: number, measured: readonly number[]): string =>
      `${(1000 * expected).toFixed(1)} ms expected, ${median(measured).toFixed(1)} ms measured (${((1000 * expected) / median(measured)).toFixed(2)})`;
    const tpot = ratio(
      tpotSeconds!,
      runs.map(({ tpotMs }) => tpotMs!),
    );
    const ttft = ratio(
      ttftSeconds,
      runs.map(({ ttftMs }) => ttftMs),
    );
    const tokens = `${runs[0].promptIds.length} tokens and ${REQUESTS[at][1]} more`;
    return `${info.driver} on ${info.adapter || 'a GPU without a name'}, ${tokens}: TPOT ${tpot}; TTFT ${ttft}`;
  });
}

/** The predicted TPOT beside a reply, after calibration in the tab, in Chromium on SwiftShader and Firefox on lavapipe. */
export async function expected(built: Built): Promise<string[]> {
  const lines = await beside(await built.chromium());
  await built.closeBrowsers();
  return [...lines, ...(await built.firefox().then(beside, (error: Error) => [`Firefox: ${error.message}`]))];
}
