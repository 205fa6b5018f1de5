import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { random as randomOf } from '../../src/traffic/random.js';
import { loadReal } from './real.js';
import { inFlight, start, until } from './support.js';

/** 10000 for a long look: `RIDGEPOINT_TEST_STRESS=10000 npx vitest run test/serving/stress.full.test.ts`. */
const REQUESTS = Number(process.env.RIDGEPOINT_TEST_STRESS ?? 300);
const AT_ONCE = 24;
const ABORTED = 0.2;
/** What memory may grow by between the second and the last quarter, in bytes. */
const GROWTH = 16 * 2 ** 20;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const schema = {
  type: 'object',
  properties: { name: { type: 'string', maxLength: 4 }, age: { type: 'integer', minimum: 0, maximum: 9 } },
  required: ['name', 'age'],
  additionalProperties: false,
};
const tools = [{ type: 'function', function: { name: 'look', parameters: schema } }];
const messages = [{ role: 'user', content: 'Once upon a time there was a fox.' }];
const length = { ignore_eos: true, max_tokens: 12 };
/** Requests, and what must be true of the text of their answers. */
const KINDS: readonly (readonly [string, object, (text: string) => void])[] = [
  [
    '/v1/completions',
    { prompt: 'Once upon a time', ...length },
    (text) => expect(text).toContain('"completion_tokens":12'),
  ],
  ['/v1/completions', { prompt: 'The fox', n: 2, stream: true, ...length }, (text) => expect(text).toContain('[DONE]')],
  ['/v1/chat/completions', { messages, stream: true, ...length }, (text) => expect(text).toContain('"length"')],
  [
    '/v1/chat/completions',
    { messages, tools, tool_choice: 'required', parallel_tool_calls: false, max_tokens: 60 },
    (text) => {
      const { choices } = JSON.parse(text) as {
        choices: [{ finish_reason: string; message: { tool_calls: [{ function: { arguments: string } }] } }];
      };
      const [{ message, finish_reason: finish }] = choices;
      fox(message.tool_calls[0].function.arguments, finish);
    },
  ],
  [
    '/v1/completions',
    {
      prompt: 'A fox.',
      response_format: { type: 'json_schema', json_schema: { name: 'fox', schema } },
      max_tokens: 60,
      temperature: 1,
    },
    (answer) => {
      const [{ text, finish_reason: finish }] = (
        JSON.parse(answer) as { choices: [{ text: string; finish_reason: string }] }
      ).choices;
      fox(text, finish);
    },
  ],
  [
    '/v1/responses',
    { input: 'Once upon a time', max_output_tokens: 16, stream: true, store: false },
    (text) => expect(text).toMatch(/response\.(completed|incomplete)/),
  ],
  [
    '/v1/messages',
    {
      ...{ messages, max_tokens: 60, stream: true },
      tools: [{ name: 'look', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'look', disable_parallel_tool_use: true },
    },
    (text) => expect(text).toMatch(/"type":"tool_use".*message_stop/s),
  ],
  [
    '/v1/embeddings',
    { input: Array.from({ length: 12 }, (_, at) => 'The fox '.repeat(at + 1)) },
    (text) => expect((JSON.parse(text) as { data: unknown[] }).data).toHaveLength(12),
  ],
];

/** Fits the schema, where it was not cut short by its limit, which is an answer too. */
function fox(text: string, finish: string): void {
  if (finish === 'length') return;
  const { name, age } = JSON.parse(text) as { name: string; age: number };
  expect(name.length).toBeLessThanOrEqual(4);
  expect(age).toBeLessThanOrEqual(9);
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);

let engine: CoreEngine;
beforeAll(async () => void (engine = await loadReal(undefined, { pooling: 'mean' })));
afterAll(() => engine.dispose());

it(`${REQUESTS} requests, a fifth of them given up: none is lost, all is free again, memory stays flat`, async () => {
  const { server, url } = await start(engine, { compileGrammar, machine: { price: { seconds: () => 0.01 } } });
  const random = randomOf(16);
  const samples: { done: number; heap: number; rss: number }[] = [];
  let next = 0;
  let answered = 0;
  let aborted = 0;
  const ask = async (at: number): Promise<void> => {
    const [path, body, check] = KINDS[at % KINDS.length];
    const gaveUp = random() < ABORTED;
    const aborter = new AbortController();
    const moment = random() * 60;
    if (gaveUp) setTimeout(() => aborter.abort(), moment);
    try {
      const response = await fetch(url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...body, seed: at }),
        signal: aborter.signal,
      });
      const text = await response.text();
      expect(response.status, text).toBe(200);
      check(text);
      answered++;
    } catch (error) {
      if (!aborter.signal.aborted) throw error;
      aborted++;
    }
  };
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) {
      const at = next++;
      await ask(at);
      if (at % Math.ceil(REQUESTS / 40) > 0) continue;
      collect();
      const { heapUsed, rss } = process.memoryUsage();
      samples.push({ done: at, heap: heapUsed, rss });
      if (process.env.RIDGEPOINT_TEST_STRESS !== undefined) {
        console.log(`${at}: heap ${mib(heapUsed)} MiB, resident ${mib(rss)} MiB`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(answered + aborted).toBe(REQUESTS);
  expect(aborted).toBeGreaterThan(REQUESTS * ABORTED * 0.2);

  const idle = (): boolean => engine.stats().running + engine.stats().waiting === 0;
  await until(idle);
  for (let tries = 0; (await inFlight(server)) > 0 && tries < 400; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  expect(await inFlight(server)).toBe(0);
  const { kvBlocks, kvBlocksFree } = engine.stats();
  expect(kvBlocksFree).toBe(kvBlocks);

  // The lowest sample: a leak raises it too, what a collection has not reached yet does not.
  const lowest = (from: number, to: number, of: 'heap' | 'rss'): number =>
    Math.min(
      ...samples.filter(({ done }) => done >= from * REQUESTS && done < to * REQUESTS).map((sample) => sample[of]),
    );
  const quarters = (of: 'heap' | 'rss'): string =>
    [0, 1, 2, 3].map((quarter) => mib(lowest(quarter / 4, (quarter + 1) / 4, of))).join(', ');
  console.log(
    `${answered} answered, ${aborted} given up; MiB by quarters: heap ${quarters('heap')}, resident ${quarters('rss')}`,
  );
  expect(lowest(0.75, 1, 'heap') - lowest(0.25, 0.5, 'heap')).toBeLessThan(GROWTH);
}, 36_000_000);
