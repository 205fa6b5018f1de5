import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, root, Scratch, withKeys } from '../cli/support.js';
import { adapters } from '../support/adapters.js';

/** How long the event loop may stand still, on a machine where the probe's known loop takes 20 ms. */
const LIMIT_MS = 50;
const KNOWN_MS = 20;
const TRIES = 8;

const TEMPLATE =
  '{% for message in messages %}<|{{ message.role }}|>{{ message.content | trim }}\n{% endfor %}<|assistant|>';

const rep = <T>(count: number, item: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => item(at));
const entries = (count: number, key: (at: number) => string, value: unknown): object =>
  Object.fromEntries(rep(count, (at) => [key(at), value]));
const words = 'once upon a time a little girl named lily went to the garden with her mother'.split(' ');
const text = (count: number): string => rep(count, (at) => words[(at * 7919) % words.length]).join(' ');
const user = (content: unknown): object => ({ role: 'user', content });
const C = '/v1/completions';
const CHAT = '/v1/chat/completions';
const schema = (value: unknown): object => ({
  prompt: 'x',
  max_tokens: 4,
  response_format: { type: 'json_schema', json_schema: { name: 'x', schema: value } },
});
const nested = (levels: number): object =>
  rep(levels, () => 0).reduce((inner: object) => ({ type: 'object', properties: { a: inner } }), { type: 'string' });

/** Requests that would each take a server long, on every way in. Of some the client leaves once they have been read. */
// prettier-ignore
const ATTACKS: [name: string, path: string, body: unknown, leavesAfterMs?: number][] = [
  ['a bias for each of 28,000 names of tokens, 128 choices', C, { prompt: 'x', n: 128, max_tokens: 1, logit_bias: entries(28_000, (at) => String(at).padStart(6, '0'), 1) }],
  ['1024 biases, 128 choices', C, { prompt: 'x', n: 128, max_tokens: 1, logit_bias: entries(1024, String, 1) }],
  ['1024 biases, 128 choices of a chat', CHAT, { messages: [user('x')], n: 128, max_tokens: 1, logit_bias: entries(1024, String, 1) }],
  ['200,000 wrong biases', C, { prompt: 'x', logit_bias: entries(200_000, (at) => `x${at}`, 'y') }],
  ['220 long texts', C, { prompt: rep(220, (at) => text(3000 + (at % 5))), max_tokens: 1 }, 10_000],
  ['64 long texts, their own scores', C, { prompt: rep(64, () => text(60)), max_tokens: 0, echo: true, logprobs: 5 }],
  ['a million texts', C, { prompt: rep(1e6, () => 'a') }],
  ['a million ids', C, { prompt: rep(1e6, () => 5) }],
  ['264 lists of 3000 ids', C, { prompt: rep(264, () => rep(3000, (at) => at % 2000)), max_tokens: 1 }, 8000],
  ['96 lists of 3000 ids, echoed', C, { prompt: rep(96, () => rep(3000, (at) => at % 2000)), max_tokens: 1, echo: true }],
  ['a million wrong ids', C, { prompt: rep(1e6, () => -1) }],
  ['a text of 60 kB', C, { prompt: text(11_000), max_tokens: 1 }],
  ['a text of 4 MB', C, { prompt: 'a'.repeat(4e6) }],
  ['4 MB to be tokenized', '/tokenize', { prompt: 'a '.repeat(2e6) }],
  ['60 kB to be tokenized, with their texts', '/tokenize', { prompt: text(11_000), return_token_strs: true }],
  ['100,000 empty messages', CHAT, { messages: rep(100_000, () => user('')) }],
  ['100,000 empty messages to be tokenized', '/tokenize', { messages: rep(100_000, () => user('')) }],
  ['2048 empty messages', CHAT, { messages: rep(2048, () => user('')), max_tokens: 1 }],
  ['a message of 100,000 empty parts', CHAT, { messages: [user(rep(100_000, () => ({ type: 'text', text: '' })))] }],
  ['500 messages of 100 wrong parts', CHAT, { messages: rep(200, () => user(rep(100, () => ({ type: 'x' })))) }],
  ['200,000 messages of a wrong role', CHAT, { messages: rep(200_000, () => ({ role: 'x' })) }],
  ['a call with 10,000 arguments', CHAT, { messages: [user('x'), { role: 'assistant', content: '', tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: JSON.stringify(entries(10_000, (at) => `k${at}`, 1)) } }] }] }],
  ['4096 calls', CHAT, { messages: [user('x'), { role: 'assistant', content: '', tool_calls: rep(4096, (at) => ({ id: `a${at}`, type: 'function', function: { name: 'f', arguments: '{}' } })) }] }],
  ['20,000 tools that may not be called', CHAT, { messages: [user('x')], max_tokens: 1, tool_choice: 'none', tools: rep(20_000, (at) => ({ type: 'function', function: { name: `f${at}` } })) }],
  ['a million stops of the wrong type', C, { prompt: 'x', stop: rep(1e6, () => 5) }],
  ['16 stops of 250 kB', C, { prompt: 'x', n: 128, stop: rep(16, (at) => 'a'.repeat(250_000) + at) }],
  ['the longest stops, 128 choices', C, { prompt: 'x', n: 128, max_tokens: 2, stop: rep(16, (at) => 'a'.repeat(250) + at) }],
  ['a million ids that stop', C, { prompt: 'x', stop_token_ids: rep(1e6, () => 5) }],
  ['65,536 ids to be decoded', '/detokenize', { tokens: rep(65_536, (at) => 3 + (at % 2000)) }],
  ['2 million ids to be decoded', '/detokenize', { tokens: rep(1.9e6, () => 5) }],
  ['a million wrong ids to be decoded', '/detokenize', { tokens: rep(1e6, () => -1) }],
  ['4 MB of empty lists', C, `{"prompt":"a","x":[${'[],'.repeat(1.3e6)}[]]}`],
  ['4 MB of numbers', C, `{"prompt":"a","x":[${'1,'.repeat(2e6)}1]}`],
  ['4 MB of keys', C, `{"prompt":"a","x":{${rep(300_000, (at) => `"${at.toString(36)}":0`).join(',')}}}`],
  ['keys nobody knows', C, `{"prompt":"a",${rep(60_000, (at) => `"${at.toString(36)}":0`).join(',')}}`],
  ['2 million levels of lists', C, `{"prompt":"a","x":${'['.repeat(2e6)}${']'.repeat(2e6)}}`],
  ['500,000 levels of objects', C, `{"prompt":"a","x":${'{"a":'.repeat(5e5)}1${'}'.repeat(5e5)}}`],
  ['4 MB of escapes', C, `{"prompt":"${'\\u0041'.repeat(6.9e5)}"}`],
  ['half characters', C, `{"prompt":[${rep(60_000, () => '"\\ud83d\\ude42"').join(',')}]}`],
  ['a schema of 2 MB', C, schema({ description: 'x'.repeat(2e6) })],
  ['a schema of 128 kB', C, schema({ description: 'x'.repeat(131_000) })],
  ['a schema of 28 levels', C, schema(nested(28))],
  ['a schema of 3000 properties', C, schema({ type: 'object', properties: entries(3000, (at) => `p${at}`, { type: 'string' }) })],
  ['a schema of 10,000 values', C, schema({ enum: rep(10_000, (at) => `value${at}`) })],
  ['a schema of 4000 alternatives', C, schema({ anyOf: rep(4000, (at) => ({ const: `k${at}` })) })],
  ['a schema of 14 doublings', C, schema({ allOf: rep(14, (at) => ({ anyOf: [{ properties: { [`a${at}`]: {} } }, { properties: { [`b${at}`]: {} } }] })) })],
  ['a schema that doubles 25 times', C, schema({ $defs: { ...Object.fromEntries(rep(25, (at) => [`l${at}`, { type: 'object', properties: { a: { $ref: `#/$defs/l${at + 1}` }, b: { $ref: `#/$defs/l${at + 1}` } }, required: ['a', 'b'] }])), l25: { type: 'string' } }, $ref: '#/$defs/l0' })],
  ['a pattern of many states', C, schema({ type: 'string', pattern: '^(a|b)*a(a|b){18}$' })],
  ['a pattern of 10,000 words', C, schema({ type: 'string', pattern: `^(${rep(10_000, (at) => `w${at}`).join('|')})$` })],
  ['a pattern of a million repetitions', C, schema({ type: 'string', pattern: '^(a{1,1000}){1,1000}$' })],
  ['a text of a billion characters', C, schema({ type: 'string', minLength: 1e9 })],
  ['64 choices with log-probabilities', C, { prompt: 'x', n: 64, max_tokens: 20, logprobs: 20, ignore_eos: true }],
  ['64 streams with log-probabilities', C, { prompt: 'x', n: 64, max_tokens: 20, logprobs: 20, ignore_eos: true, stream: true }],
];

/** Asks for `/health` every 5 ms until told to stop; says how often, and what was not 200. */
const POLLER = `
  const { parentPort, workerData } = require('node:worker_threads');
  const http = require('node:http');
  const agent = new http.Agent({ keepAlive: true });
  let on = true, polls = 0;
  const bad = [];
  const poll = () => http.get(workerData + '/health', { agent }, (answer) => {
    answer.resume().on('end', () => {
      polls++;
      if (answer.statusCode !== 200) bad.push(answer.statusCode);
      if (on) setTimeout(poll, 5);
      else parentPort.postMessage({ polls, bad });
    });
  }).on('error', (error) => parentPort.postMessage({ polls, bad: [...bad, error.message] }));
  parentPort.once('message', () => (on = false));
  poll();
`;

const scratch = new Scratch();
let server: ChildProcess;
let url = '';

async function looked(): Promise<{ longest: number; known: number }> {
  const answer = once(server, 'message');
  server.send('look');
  return ((await answer) as [{ longest: number; known: number }])[0];
}

beforeAll(async () => {
  await build();
  const model = scratch.model('long', { 'config.json': withKeys({ max_position_embeddings: 4096 }) });
  const template = join(scratch.path, 'template.jinja');
  writeFileSync(template, TEMPLATE);
  const probe = join(root, 'test', 'support', 'loop-probe.mjs');
  const options = ['--model', model, '--chat-template', template, '--adapter', adapters[0]];
  const args = ['--import', probe, join(root, 'scripts', 'ridgepoint.mjs'), 'serve', '--port', '0', '--quiet'];
  server = spawn(process.execPath, [...args, ...options], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  server.stderr!.resume();
  let log = '';
  for await (const data of server.stdout!.iterator({ destroyOnReturn: false })) {
    log += String(data);
    url = /Server listening at (http:[^"]*)/.exec(log)?.[1] ?? '';
    if (url !== '') break;
  }
  server.stdout!.resume();
  expect(url, log).not.toBe('');
  // What is made once, at the first use: kernels for batches, grammars.
  await Promise.all(rep(8, () => fetch(url + C, request(schema({ type: 'string', maxLength: 9 })))));
});

afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
  scratch.remove();
});

const request = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

/** @returns the status of the answer; 0 where the client had left by then */
async function sent(path: string, init: RequestInit, leavesAfterMs?: number): Promise<number> {
  const signal = leavesAfterMs === undefined ? undefined : AbortSignal.timeout(leavesAfterMs);
  try {
    const answer = await fetch(url + path, { ...init, signal, headers: { ...init.headers, connection: 'close' } });
    await answer.arrayBuffer();
    return answer.status;
  } catch (error) {
    if (signal?.aborted === true) return 0;
    throw error;
  }
}

describe('a server answers /health while it is asked for', () => {
  const rows: string[] = [];
  afterAll(() => process.stdout.write(`longest turns of a server: ${rows.join('; ')}\n`));

  it.each(ATTACKS)('%s', async (name, path, body, leavesAfterMs) => {
    let best = Infinity;
    let status = 0;
    for (let i = 0; i < TRIES && best >= LIMIT_MS; i++) {
      const init = request(body);
      const poller = new Worker(POLLER, { eval: true, workerData: url });
      const before = await looked();
      status = await sent(path, init, leavesAfterMs);
      const { longest, known } = await looked();
      const polled = once(poller, 'message');
      poller.postMessage('stop');
      const [{ polls, bad }] = (await polled) as [{ polls: number; bad: unknown[] }];
      await poller.terminate();
      expect(bad).toEqual([]);
      expect(polls).toBeGreaterThan(0);
      expect([200, 400, 413, ...(leavesAfterMs === undefined ? [] : [0])]).toContain(status);
      best = Math.min(best, longest / Math.max(1, (before.known + known) / 2 / KNOWN_MS));
    }
    rows.push(`${name} (${status}) ${best.toFixed(0)} ms`);
    expect(best).toBeLessThan(LIMIT_MS);
  });
});
