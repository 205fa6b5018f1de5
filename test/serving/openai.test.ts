import OpenAI, { type ClientOptions } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { RidgepointError } from '../../src/errors.js';
import { compileGrammar } from '../../src/grammar/index.js';
import type { GrammarCompiler } from '../../src/serving/engine.js';
import { FakeEngine } from './fake-engine.js';
import { loadReal } from './real.js';
import { until } from './support.js';
import { WAYS, type Door } from './doors.js';
import { isFull } from '../support/scale.js';

const PROMPT = 'Once upon a time';
const MESSAGES = [{ role: 'user' as const, content: PROMPT }];

const client = ({ url, fetch }: Door, options: Partial<ClientOptions> = {}): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey: 'unused', maxRetries: 0, fetch, ...options });

let engine: CoreEngine;
beforeAll(async () => void (engine = await loadReal()));
afterAll(() => engine.dispose());

describe.each(WAYS)('the openai package, with the embedded model, $name', ({ open }) => {
  it('completes as the engine does', async () => {
    const openai = client(await open(engine));
    const alone = await engine.generate(PROMPT, { maxTokens: 20, temperature: 0 }).result;
    const done = await openai.completions.create({
      model: 'tiny-tales',
      prompt: PROMPT,
      max_tokens: 20,
      temperature: 0,
    });
    expect(done.choices[0].text).toBe(alone.text);
    expect(done.usage).toMatchObject({ prompt_tokens: 5, completion_tokens: 20, total_tokens: 25 });
    expect(done._request_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('streams a chat, and the pieces are the whole', async () => {
    const openai = client(await open(engine));
    const request = { model: 'tiny-tales', messages: MESSAGES, max_completion_tokens: 24, temperature: 0 };
    const whole = await openai.chat.completions.create(request);
    const stream = await openai.chat.completions.create({
      ...request,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? '';
      usage = chunk.usage;
    }
    expect(text).toBe(whole.choices[0].message.content);
    expect(usage).toEqual(whole.usage);
    const helper = openai.chat.completions.stream({ ...request, n: 2, seed: 3, temperature: 1 });
    const final = await helper.finalChatCompletion();
    expect(final.choices.map(({ index }) => index)).toEqual([0, 1]);
    const again = await openai.chat.completions.create({ ...request, n: 2, seed: 3, temperature: 1 });
    expect(final.choices.map(({ message }) => message.content)).toEqual(
      again.choices.map(({ message }) => message.content),
    );
    expect(again.choices[0].message.content).not.toBe(again.choices[1].message.content);
  });

  it('gives log-probabilities whose tokens spell the text', async () => {
    const openai = client(await open(engine));
    const { choices } = await openai.chat.completions.create({
      model: 'tiny-tales',
      messages: MESSAGES,
      max_tokens: 12,
      temperature: 0,
      logprobs: true,
      top_logprobs: 3,
    });
    const content = choices[0].logprobs!.content!;
    expect(content.map(({ token }) => token).join('')).toBe(choices[0].message.content);
    for (const { token, logprob, bytes, top_logprobs: top } of content) {
      expect(top).toHaveLength(3);
      expect(top[0]).toEqual({ token, logprob, bytes });
      expect(logprob).toBeLessThanOrEqual(0);
      expect(Buffer.from(bytes!).toString()).toBe(token);
    }
  });

  it.runIf(isFull)('stops where it is told, and at the model’s own end', async () => {
    const openai = client(await open(engine));
    const request = { model: 'tiny-tales', prompt: PROMPT, temperature: 0 };
    const stopped = await openai.completions.create({ ...request, max_tokens: 100, stop: ['.', '!'] });
    expect(stopped.choices[0]).toMatchObject({
      finish_reason: 'stop',
      text: expect.not.stringContaining('.') as string,
    });
    const ended = await openai.completions.create({ ...request, max_tokens: 400 });
    expect(ended.choices[0].finish_reason).toBe('stop');
    expect(ended.usage!.completion_tokens).toBeLessThan(400);
  });

  it('ends with what it stopped at where it is asked to, and not before so many tokens', async () => {
    const openai = client(await open(engine));
    const ask = async (fields: object) => {
      const request = { model: 'tiny-tales', prompt: PROMPT, temperature: 0, max_tokens: 60, stop: 'e' };
      const { choices, usage } = await openai.completions.create({ ...request, ...fields });
      return { text: choices[0].text, finish: choices[0].finish_reason, tokens: usage!.completion_tokens };
    };
    const [bare, whole] = [await ask({}), await ask({ include_stop_str_in_output: true })];
    expect(bare.text).not.toContain('e');
    expect(whole).toEqual({ ...bare, text: `${bare.text}e`, finish: 'stop' });
    const longer = await ask({ min_tokens: bare.tokens + 4 });
    expect(longer.tokens).toBeGreaterThan(bare.tokens + 4);
    expect(longer.text.startsWith(whole.text)).toBe(true);
  });

  it('leaves a stream, and the engine is free', async () => {
    const openai = client(await open(engine, { capacity: 4 }));
    for (let i = 0; i < 6; i++) {
      const stream = await openai.chat.completions.create({
        model: 'tiny-tales',
        messages: MESSAGES,
        n: 4,
        stream: true,
        max_tokens: 400,
      });
      for await (const chunk of stream) if (chunk.choices[0].delta.content) break;
      // Its places are free before the engine lets go.
      await until(() => engine.stats().running + engine.stats().waiting === 0);
    }
    await expect(openai.completions.create({ model: 'tiny-tales', prompt: PROMPT })).resolves.toHaveProperty('id');
  });

  it('writes JSON of a schema, beside free text', async () => {
    const openai = client(await open(engine, { compileGrammar }));
    const schema = {
      type: 'object',
      properties: { name: { type: 'string', maxLength: 12 }, age: { type: 'integer', minimum: 0, maximum: 120 } },
      required: ['name', 'age'],
      additionalProperties: false,
    };
    const request = { model: 'tiny-tales', messages: MESSAGES, max_tokens: 200, n: 2, temperature: 1, seed: 5 };
    const free = openai.completions.create({ model: 'tiny-tales', prompt: PROMPT, max_tokens: 60, temperature: 0 });
    const { choices } = await openai.chat.completions.create({
      ...request,
      response_format: { type: 'json_schema', json_schema: { name: 'person', schema, strict: true } },
    });
    for (const { message, finish_reason } of choices) {
      expect(finish_reason).toBe('stop');
      const person = JSON.parse(message.content!) as { name: string; age: number };
      expect(Object.keys(person)).toEqual(['name', 'age']);
      expect(person.age).toBeLessThanOrEqual(120);
    }
    const alone = await openai.completions.create({
      model: 'tiny-tales',
      prompt: PROMPT,
      max_tokens: 60,
      temperature: 0,
    });
    expect((await free).choices[0].text).toBe(alone.choices[0].text);
    const unsupported = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'wizard' } } } as const;
    await expect(openai.chat.completions.create({ ...request, response_format: unsupported })).rejects.toMatchObject({
      status: 400,
      param: 'response_format',
      code: 'invalid_schema',
    });
  });

  it('has blanks and control characters taken for text', async () => {
    const openai = client(await open(engine));
    for (const prompt of ['\0', '   ', '\u2028', '🦊'.repeat(20)]) {
      const request = { model: 'tiny-tales', prompt, max_tokens: 2 };
      await expect(openai.completions.create(request)).resolves.toHaveProperty('usage');
    }
    await expect(openai.completions.create({ model: 'tiny-tales', prompt: '' })).resolves.toHaveProperty('usage');
  });
});

describe.each(WAYS)('the openai package, on whatever engine, $name', ({ name, open }) => {
  it('lists and finds models', async () => {
    const openai = client(await open(new FakeEngine()));
    const ids: string[] = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    expect(ids).toEqual(['fake/bytes']);
    await expect(openai.models.retrieve('fake/bytes')).resolves.toMatchObject({ id: 'fake/bytes' });
  });

  it('raises its own types of errors', async () => {
    const engine = new FakeEngine();
    const door = await open(engine, { apiKeys: ['right'], capacity: 1 });
    const openai = client(door, { apiKey: 'right' });
    const request = { model: 'fake/bytes', messages: MESSAGES };
    const create = (changes: object, of = openai) => of.chat.completions.create({ ...request, ...changes });
    if (name === 'over HTTP') {
      await expect(create({}, client(door, { apiKey: 'wrong' }))).rejects.toThrow(OpenAI.AuthenticationError);
    }
    await expect(create({ model: 'gpt' })).rejects.toThrow(OpenAI.NotFoundError);
    await expect(create({ temperature: 'hot' })).rejects.toMatchObject({ param: 'temperature' });
    await expect(create({ n: 2 })).rejects.toThrow(OpenAI.BadRequestError);
    const long = [{ role: 'user', content: 'x'.repeat(5000) }];
    await expect(create({ messages: long })).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
    engine.stepFailure = new RidgepointError('device', 'the device was lost');
    await expect(create({})).rejects.toThrow(OpenAI.InternalServerError);
    const stream = await openai.chat.completions.create({ ...request, stream: true });
    const drain = async (): Promise<void> => {
      for await (const chunk of stream) expect(chunk).toHaveProperty('choices');
    };
    await expect(drain()).rejects.toThrow('the device was lost');
  });

  it('waits as it is told when the queue is full, and then succeeds', async () => {
    const engine = new FakeEngine({
      reply: () => 'x'.repeat(200),
      step: () => new Promise((done) => setTimeout(done, 3)),
    });
    const door = await open(engine, { capacity: 1 });
    const patient = client(door, { maxRetries: 3 });
    const ask = () => patient.completions.create({ model: 'fake/bytes', prompt: 'x', max_tokens: 150 });
    const first = ask();
    await until(() => engine.running === 1);
    await expect(client(door).completions.create({ model: 'fake/bytes', prompt: 'x' })).rejects.toThrow(
      OpenAI.RateLimitError,
    );
    expect((await ask()).choices[0].text).toHaveLength(150);
    await first;
  });

  it('gets what a schema allows and nothing else', async () => {
    // Stands in for a grammar: digits, then the end.
    const compiled: unknown[] = [];
    const compileGrammar: GrammarCompiler = (grammar) => {
      const schema = grammar.kind === 'json' ? grammar.schema : grammar;
      compiled.push(schema);
      if ((schema as { $ref?: string } | undefined)?.$ref) throw new RidgepointError('usage', '$ref leads nowhere');
      return {
        create: () => {
          let left = 3;
          const words = new Uint32Array(9);
          const allow = (id: number): void => void (words[id >> 5] |= 1 << (id & 31));
          return {
            allowed: () => {
              words.fill(0);
              if (left === 0) allow(257);
              else for (let id = 48; id < 58; id++) allow(id);
              return words;
            },
            accept: () => void left--,
          };
        },
      };
    };
    const openai = client(await open(new FakeEngine(), { compileGrammar }));
    const ask = (schema: Record<string, unknown>) =>
      openai.chat.completions.create({
        model: 'fake/bytes',
        messages: MESSAGES,
        n: 2,
        response_format: { type: 'json_schema', json_schema: { name: 'number', schema, strict: true } },
      });
    for (let i = 0; i < 2; i++) {
      const { choices } = await ask({ type: 'integer' });
      expect(choices.map(({ message }) => message.content)).toEqual(['000', '000']);
      expect(choices[1].finish_reason).toBe('stop');
    }
    // A server has prepared for any object.
    expect(compiled.filter(Boolean), 'once for the same schema').toEqual([{ type: 'integer' }]);
    await expect(ask({ $ref: '#/x' })).rejects.toMatchObject({
      status: 400,
      param: 'response_format',
      code: 'invalid_schema',
    });
    const format = { type: 'json_object' as const };
    await openai.chat.completions.create({ model: 'fake/bytes', messages: MESSAGES, response_format: format });
    expect(compiled, 'and any object').toHaveLength(3);
  });
});
