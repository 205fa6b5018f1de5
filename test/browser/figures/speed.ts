import { Engine } from '../../../src/index.js';
import { median } from '../../../src/statistics.js';
import type { Built } from './tab.js';

const ROUNDS = 7;
const REOPENED = 3;
const REQUEST = ['Once upon a time', { temperature: 0, maxTokens: 48 }] as const;

interface Run {
  /** As whoever asked saw it. Milliseconds. */
  readonly ttft: number;
  readonly tpot: number;
}

/** One request, in a page as in Node. */
async function timed(engine: Pick<Engine, 'generate'>, [prompt, options]: typeof REQUEST): Promise<Run> {
  const begun = performance.now();
  let ttft: number | undefined;
  const generation = engine.generate(prompt, options);
  for await (const chunk of generation) {
    ttft ??= performance.now() - begun;
    void chunk;
  }
  const { tpotMs } = await generation.result;
  return { ttft: ttft!, tpot: tpotMs! };
}

/** The engine in a worker of Chromium and in Node on one driver, in turn; and how soon a page that is opened again writes. */
export async function speed(built: Built): Promise<string[]> {
  const tab = await built.chromium();
  await using engine = await Engine.load({ adapter: 'swiftshader' });
  await engine.ready;
  await tab.evaluate(async () => {
    window.engine = await window.ridgepoint.Engine.load();
    await window.engine.ready;
  });
  const source = `(${timed.toString()})(window.engine, ${JSON.stringify(REQUEST)})`;
  const inTab = (): Promise<Run> => tab.evaluate((text) => (0, eval)(text) as Promise<Run>, source);
  const runs: { node: Run; tab: Run }[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const node = await timed(engine, REQUEST);
    const run = { node, tab: await inTab() };
    if (round >= 0) runs.push(run);
  }
  const of = (pick: (run: (typeof runs)[number]) => number): number => median(runs.map(pick));
  const opened: number[] = [];
  for (let time = 0; time < REOPENED; time++) {
    await tab.page.reload();
    await tab.page.waitForFunction(() => 'ridgepoint' in window);
    opened.push(
      await tab.evaluate(async ([prompt, options]) => {
        window.engine = await window.ridgepoint.Engine.load();
        await window.engine.generate(prompt, options)[Symbol.asyncIterator]().next();
        return performance.now();
      }, REQUEST),
    );
  }
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  return [
    `TPOT ${ms(of(({ tab }) => tab.tpot))} in the tab, ${ms(of(({ node }) => node.tpot))} in Node; by round ${of(({ tab, node }) => tab.tpot / node.tpot).toFixed(2)} times`,
    `TTFT as the page sees it ${ms(of(({ tab }) => tab.ttft))}, in Node ${ms(of(({ node }) => node.ttft))}; by round ${ms(of(({ tab, node }) => tab.ttft - node.ttft))} more`,
    `opened again, the first token of tiny-tales after ${(median(opened) / 1000).toFixed(1)} s (${opened.map((each) => (each / 1000).toFixed(1)).join(', ')})`,
  ];
}
