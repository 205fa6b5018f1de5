import type { TextEngine } from '../../engine/api.js';
import { loadOfParts } from '../../outlook/journal.js';
import type { Outlook } from './outlook.js';
import { rounded, timingsOf } from './timings.js';

const STEPS = 120;
const REQUESTS = 30;

/** What the server does right now, for its page: queue, batch, cache, the last steps and requests. */
export function statusOf(engine: TextEngine, outlook: Outlook | undefined, model: string): object {
  const { info } = engine;
  const { running, waiting, kvBlocks, kvBlocksFree } = engine.stats();
  return {
    model,
    adapter: info.adapter,
    driver: info.driver,
    dtype: info.dtype,
    chat: engine.hasChatTemplate,
    running,
    waiting,
    kv_blocks: kvBlocks,
    kv_blocks_free: kvBlocksFree,
    ...(outlook === undefined ? {} : seen(outlook)),
  };
}

function seen({ prices, journal, machine, visits }: Outlook): object {
  return {
    price_from: prices.known ? prices.source : null,
    pace: rounded(prices.pace),
    roof:
      machine.roof === undefined
        ? null
        : { bytes_per_second: machine.roof.bytesPerSecond, flops_per_second: machine.roof.flopsPerSecond },
    steps: journal.steps.slice(-STEPS).map(({ begin, end, parts }) => {
      const load = loadOfParts(parts);
      return {
        ms: rounded(end - begin),
        expected_ms: prices.known ? rounded(prices.expected(load)) : null,
        rows: load.decodeRows,
        prompt_tokens: load.prompts.reduce((sum, part) => sum + part.end - part.begin, 0),
      };
    }),
    work: workOf(journal.steps.at(-1), machine),
    requests: visits.slice(0, REQUESTS).map(({ name, records }) => ({
      id: name,
      state: records.length === 0 ? 'waiting' : records.every(({ endedAt }) => endedAt) ? 'ended' : 'running',
      choices: records.map((record) => timingsOf(record, prices.source)),
    })),
  };
}

/** What the last step computed and moved, and how fast. */
function workOf(step: Outlook['journal']['steps'][number] | undefined, { work }: Outlook['machine']): object | null {
  if (step === undefined || work === undefined) return null;
  return { ...work(loadOfParts(step.parts)), ms: rounded(step.end - step.begin) };
}
