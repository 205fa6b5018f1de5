import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.js';
import { post, start } from './support.js';
import { scaled } from '../support/scale.js';

const numRuns = scaled(300, 60);

const FIELDS = [
  'model',
  'prompt',
  'messages',
  'tokens',
  'n',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'stop',
  'seed',
  'temperature',
  'top_p',
  'top_k',
  'min_p',
  'presence_penalty',
  'frequency_penalty',
  'repetition_penalty',
  'logit_bias',
  'logprobs',
  'top_logprobs',
  'response_format',
  'echo',
  'best_of',
  'suffix',
  'tools',
  'user',
  'priority',
  'ignore_eos',
  'return_token_ids',
  '__proto__',
  'constructor',
];

const near = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.5, 2, 1e308, -0, 2 ** 53, 2 ** 32, '', 'x', '\ud800', '\0', true, false, null),
  fc.constantFrom([], [[]], [1], [[1]], ['a', 1], {}, { include_usage: true }, { 5: 1 }, { 5: 1000 }, { '-1': 1 }),
  fc.constantFrom({ type: 'json_object' }, { type: 'json_schema', json_schema: { schema: {} } }),
  fc.constant([{ role: 'user', content: 'x' }]),
  fc.jsonValue({ maxDepth: 3 }),
);
const MESSAGES = [{ role: 'user', content: 'x' }];
const BASES = [{ prompt: 'x', max_tokens: 4 }, { messages: MESSAGES, max_tokens: 4 }, { tokens: [65] }];
const fields = fc.uniqueArray(fc.tuple(fc.constantFrom(...FIELDS), near), { selector: ([key]) => key, maxLength: 6 });
/** Mostly a good request with a few fields changed, so that more than the first check is reached. */
const request = fc.tuple(fc.constantFrom(...BASES, {}), fields).map(([base, changes]) => {
  const parts = Object.entries(base).filter(([key]) => !changes.some(([other]) => other === key));
  // As text: an object would lose "__proto__".
  return `{${[...parts, ...changes].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
});
const garbage = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  request.map((text) => text.slice(0, -2)),
  fc.json(),
);
const path = fc.constantFrom('/v1/completions', '/v1/chat/completions', '/tokenize', '/detokenize', '/v1/models');

it('whatever is sent gets an answer or a 4xx, and a good request beside it is served', async () => {
  const engine = new FakeEngine({ reply: () => 'The good answer.', contextLength: 300 });
  const { url } = await start(engine, { capacity: 200, compileGrammar: () => ({ create: everything }) });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(
      path,
      fc.array(fc.oneof({ weight: 3, arbitrary: request }, garbage), { maxLength: 8 }),
      async (to, bodies) => {
        const good = post(`${url}/v1/completions`, { prompt: 'good', max_tokens: 40 });
        const statuses = await Promise.all(
          bodies.map(async (body) => {
            const response = await fetch(url + to, {
              method: 'POST',
              body: body as string,
              headers: { 'content-type': 'application/json' },
            });
            const text = await response.text();
            if (response.status !== 200) expect(JSON.parse(text)).toHaveProperty('error.message');
            return response.status;
          }),
        );
        for (const status of statuses)
          expect(status === 200 || (status >= 400 && status < 500), `${status}`).toBe(true);
        accepted += statuses.filter((status) => status === 200).length;
        expect((await good).body.choices[0].text).toBe('The good answer.');
      },
    ),
    { numRuns },
  );
  expect(engine.running).toBe(0);
  expect(accepted, 'the generator makes good requests too').toBeGreaterThan(numRuns / 10);
});

function everything() {
  const all = new Uint32Array(9).fill(0xffffffff);
  return { allowed: () => all, accept: () => undefined };
}
