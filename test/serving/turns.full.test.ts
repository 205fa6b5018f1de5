import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { compileGrammar } from '../../src/grammar/index.js';
import { chatAside } from '../../src/platform/node/chat-aside.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { bestTurn } from '../support/turns.js';
import { FakeEngine } from './fake-engine.js';
import { start } from './support.js';

const read = (file: string): unknown =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../../models/tiny-tales/${file}`, import.meta.url)), 'utf8'));
const tokenizer = Tokenizer.fromJson(read('tokenizer.json'), read('tokenizer_config.json'));
const TEMPLATE =
  '{% for message in messages %}<|{{ message.role }}|>{{ message.content | trim }}\n{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}';

/** Bytes are its tokens, but texts and chats cost what they cost with a tokenizer and a template. */
class CostlyEngine extends FakeEngine {
  override async tokenizeInSlices(text: string): Promise<number[]> {
    const ids = await tokenizer.encodeInSlices(text, { addSpecialTokens: true });
    return ids.map((id) => id % 256);
  }

  readonly #aside = chatAside({ template: TEMPLATE });

  override chatTextAside(messages: Parameters<FakeEngine['chatText']>[0]): Promise<string> {
    return this.#aside!.render(messages);
  }
}

const LIMIT_MS = 50;

const rep = <T>(count: number, item: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => item(at));
const bias = (count: number): object => Object.fromEntries(rep(count, (at) => [String(at).padStart(6, '0'), 1]));
const words =
  'once upon a time a little girl named lily went to the garden with her mother and found a big red ball'.split(' ');
const text = (count: number): string => rep(count, (at) => words[(at * 7919) % words.length]).join(' ');
const C = '/v1/completions';
const CHAT = '/v1/chat/completions';

/** What a request holds, and the status it is answered with. */
const HEAVY: [string, string, unknown, number][] = [
  [
    'a bias for every token of a large vocabulary, 128 choices',
    C,
    { prompt: 'x', n: 128, max_tokens: 1, logit_bias: bias(32_000) },
    400,
  ],
  [
    'as many biases as there may be, 128 choices',
    C,
    { prompt: 'x', n: 128, max_tokens: 1, logit_bias: Object.fromEntries(rep(256, (at) => [at, 1])) },
    200,
  ],
  ['220 long texts', C, { prompt: rep(220, (at) => text(900 + (at % 5))), max_tokens: 1 }, 200],
  ['a text of 60 kB', C, { prompt: text(11_000), max_tokens: 1 }, 200],
  ['264 lists of 3000 ids', C, { prompt: rep(264, () => rep(3000, (at) => at % 250)), max_tokens: 1 }, 200],
  ['100,000 empty messages', CHAT, { messages: rep(100_000, () => ({ role: 'user', content: '' })) }, 400],
  ['2048 empty messages', CHAT, { messages: rep(2048, () => ({ role: 'user', content: '' })), max_tokens: 1 }, 200],
  [
    '30,000 empty parts',
    CHAT,
    { messages: [{ role: 'user', content: rep(30_000, () => ({ type: 'text', text: '' })) }] },
    400,
  ],
  ['a million stops of the wrong type', C, { prompt: 'x', stop: rep(1e6, () => 5) }, 400],
  ['a million wrong ids', '/detokenize', { tokens: rep(1e6, () => -1) }, 400],
  ['65,536 ids', '/detokenize', { tokens: rep(65_536, () => 65) }, 200],
  ['20,000 wrong messages', CHAT, { messages: rep(20_000, () => ({ role: 'x' })) }, 400],
  ['16 stops of 250 kB', C, { prompt: 'x', n: 128, stop: rep(16, (at) => 'a'.repeat(250_000) + at) }, 400],
  [
    'stops as long as may be, 128 choices',
    C,
    { prompt: 'x', n: 128, max_tokens: 2, stop: rep(16, (at) => 'a'.repeat(250) + at) },
    200,
  ],
  ['4 MB of empty lists', C, `{"prompt":"a","x":[${'[],'.repeat(1.3e6)}[]]}`, 400],
  ['4 MB of numbers', C, `{"prompt":"a","x":[${'1,'.repeat(2e6)}1]}`, 400],
  ['4 MB of keys', C, `{"prompt":"a","x":{${rep(300_000, (at) => `"${at.toString(36)}":0`).join(',')}}}`, 400],
  ['a text of 4 MB', C, { prompt: 'a'.repeat(4e6) }, 400],
  [
    'a schema of 2 MB',
    C,
    {
      prompt: 'x',
      response_format: { type: 'json_schema', json_schema: { schema: { description: 'x'.repeat(2e6) } } },
    },
    400,
  ],
  ['log-probabilities of 64 choices, whole', C, { prompt: 'x', n: 64, max_tokens: 300, logprobs: 20 }, 200],
  [
    'log-probabilities of 64 choices, streamed',
    C,
    { prompt: 'x', n: 64, max_tokens: 300, logprobs: 20, stream: true },
    200,
  ],
];

describe('nobody waits long for', () => {
  const rows: string[] = [];
  afterAll(() => process.stdout.write(`longest turns: ${rows.join('; ')}\n`));

  it.each(HEAVY)('%s', async (name, path, body, status) => {
    const engine = new CostlyEngine({ reply: () => 'x'.repeat(400), contextLength: 40_000 });
    const { url } = await start(engine, { compileGrammar, capacity: 300 });
    const data = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
    const head = `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${data.length}\r\n\r\n`;
    const ask = (): Promise<string> =>
      new Promise((resolve, reject) => {
        let begin = '';
        const socket = connect(Number(new URL(url).port), '127.0.0.1', () => {
          socket.write(head);
          socket.write(data);
        });
        socket.on('data', (bytes) => (begin ||= bytes.toString('latin1', 0, 15))).on('error', reject);
        socket.on('close', () => resolve(begin));
      });
    const turn = await bestTurn(LIMIT_MS, async () => expect((await ask()).slice(9, 12)).toBe(String(status)));
    rows.push(`${name} ${turn.toFixed(0)} ms`);
    expect(turn).toBeLessThan(LIMIT_MS);
  });
});
