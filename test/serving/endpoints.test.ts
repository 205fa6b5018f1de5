import { describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.js';
import { events, post, start } from './support.js';

const chat = (text: string, rest: object = {}): object => ({ messages: [{ role: 'user', content: text }], ...rest });

describe('models', () => {
  it('are listed and found, names with a slash included', async () => {
    const { url } = await start(new FakeEngine(), { modelNames: ['org/name', 'alias'] });
    const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string; max_model_len: number }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['org/name', 'alias']);
    expect(list.data[0].max_model_len).toBe(4096);
    for (const path of ['org/name', 'org%2Fname', 'alias']) {
      expect((await fetch(`${url}/v1/models/${path}`)).status, path).toBe(200);
    }
    expect((await fetch(`${url}/v1/models/other`)).status).toBe(404);
    expect((await post(`${url}/v1/completions`, { model: 'alias', prompt: 'x' })).body.model).toBe('alias');
  });
});

describe('/v1/completions', () => {
  it('answers several prompts with several choices each, in order, and counts a prompt once', async () => {
    const engine = new FakeEngine({ reply: (prompt) => `after ${prompt}` });
    const { url } = await start(engine);
    const { body } = await post(`${url}/v1/completions`, {
      prompt: ['ab', 'c'],
      n: 2,
      max_tokens: 50,
      seed: -1,
      echo: true,
    });
    const texts = body.choices.map(({ index, text }) => [index, text]);
    expect(texts).toEqual([
      [0, 'abafter ab'],
      [1, 'abafter ab'],
      [2, 'cafter c'],
      [3, 'cafter c'],
    ]);
    expect(body.usage).toMatchObject({ prompt_tokens: 3 + 2, completion_tokens: 2 * 9 + 2 * 8 });
    expect(body.choices[0].finish_reason).toBe('stop');
    const seeds = engine.calls.map(({ options }) => options.seed);
    expect(seeds).toEqual([0xffffffff, 0, 1, 2]);
  });

  it('takes token ids, gives token ids, and stops at 16 tokens unless told', async () => {
    const { url } = await start(new FakeEngine({ reply: () => 'x'.repeat(40) }));
    const prompts: [unknown, number][] = [
      [[104, 105], 1],
      [[[104], [105, 106]], 2],
    ];
    for (const [prompt, count] of prompts) {
      const { body } = await post(`${url}/v1/completions`, { prompt, return_token_ids: true, echo: true });
      expect(body.choices).toHaveLength(count);
      expect(body.choices[0]).toMatchObject({ finish_reason: 'length', token_ids: Array(16).fill(120) });
      expect(body.choices[0].prompt_token_ids[0]).toBe(104);
      expect(body.choices[0].text.startsWith('h')).toBe(true);
    }
  });

  it('reports log-probabilities, bytes that are no character by their value', async () => {
    const { url } = await start(new FakeEngine({ reply: () => 'aé' }));
    const { body } = await post(`${url}/v1/completions`, { prompt: 'x', logprobs: 2, max_tokens: 3 });
    expect(body.choices[0].text).toBe('aé');
    expect(body.choices[0].logprobs).toEqual({
      tokens: ['a', 'bytes:\\xc3', 'bytes:\\xa9'],
      token_logprobs: [0, 0, 0],
      top_logprobs: [
        { a: 0, A: -1 },
        { 'bytes:\\xc3': 0, A: -1 },
        { 'bytes:\\xa9': 0, A: -1 },
      ],
      text_offset: [0, 1, 11],
    });
  });

  it('streams the pieces of the whole answer, usage last when asked for', async () => {
    const { url } = await start(new FakeEngine({ reply: (prompt) => `<${prompt}>` }));
    const request = { prompt: ['a', 'b'], n: 2, stream: true, stream_options: { include_usage: true }, logprobs: 0 };
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(request),
    });
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const data = await events(response);
    expect(data.at(-1)).toBe('[DONE]');
    const parsed = data.slice(0, -1).map((event) => JSON.parse(event) as Record<string, never>);
    const last = parsed.pop() as unknown as { choices: unknown[]; usage: object };
    expect(last.choices).toEqual([]);
    expect(last.usage).toMatchObject({ prompt_tokens: 4, completion_tokens: 16, total_tokens: 20 });
    const texts = ['', '', '', ''];
    const finishes: string[] = [];
    const offsets: number[][] = [[], [], [], []];
    for (const event of parsed) {
      expect(event).toMatchObject({ object: 'text_completion', usage: null });
      const { index, text, finish_reason, logprobs } = event['choices'][0] as {
        index: number;
        text: string;
        finish_reason: string | null;
        logprobs: { text_offset: number[] } | null;
      };
      expect(finishes[index], 'nothing comes after the end of a choice').toBeUndefined();
      texts[index] += text;
      offsets[index].push(...(logprobs?.text_offset ?? []));
      if (finish_reason !== null) finishes[index] = finish_reason;
    }
    expect(texts).toEqual(['<a>', '<a>', '<b>', '<b>']);
    expect(finishes).toEqual(['stop', 'stop', 'stop', 'stop']);
    expect(offsets[0]).toEqual([0, 1, 2, 3]);
  });
});

describe('/v1/chat/completions', () => {
  it('joins text parts, knows developers for system, and passes options on under the engine’s names', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    const { body } = await post(`${url}/v1/chat/completions`, {
      messages: [
        { role: 'developer', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
      max_tokens: 99,
      max_completion_tokens: 5,
      stop: 'zzz',
      temperature: 0.5,
      top_p: 0.9,
      top_k: -1,
      min_p: 0.1,
      repetition_penalty: 1.1,
      presence_penalty: -2,
      frequency_penalty: 2,
      logit_bias: { '65': -100 },
      ignore_eos: true,
      priority: 3,
      user: 'me',
      unheard_of: true,
      logprobs: null,
    });
    expect(body.choices[0].message).toEqual({ role: 'assistant', content: 'Hello', refusal: null });
    expect(body.choices[0]).toMatchObject({ logprobs: null, finish_reason: 'length' });
    const { prompt, options } = engine.calls[0];
    expect(engine.detokenize(prompt)).toBe('system: Be brief.\nuser: a\nb\n');
    expect(options).toMatchObject({
      maxTokens: 5,
      stop: ['zzz'],
      temperature: 0.5,
      topP: 0.9,
      topK: 0,
      minP: 0.1,
      repetitionPenalty: 1.1,
      presencePenalty: -2,
      frequencyPenalty: 2,
      logitBias: { '65': -100 },
      ignoreEos: true,
      priority: 3,
    });
    expect(options.logprobs).toBeUndefined();
  });

  it('samples at temperature 1 where neither the request nor the model says', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    await post(`${url}/v1/chat/completions`, chat('x'));
    await post(`${url}/v1/chat/completions`, chat('x', { temperature: 0 }));
    expect(engine.calls.map(({ options }) => options.temperature)).toEqual([1, 0]);
  });

  it('is refused without a chat template', async () => {
    const { url } = await start(new FakeEngine({ chat: false }));
    const { status, body } = await post(`${url}/v1/chat/completions`, chat('x'));
    expect(status).toBe(400);
    expect(body.error).toMatchObject({ param: 'messages', code: 'no_chat_template' });
    expect(body.error.message).toContain('--chat-template');
  });
});

describe('tokens', () => {
  it('are made of prompts and chats, and turned back', async () => {
    const { url } = await start(new FakeEngine());
    expect((await post(`${url}/tokenize`, { prompt: 'hi', return_token_strs: true })).body).toEqual({
      count: 3,
      max_model_len: 4096,
      tokens: [256, 104, 105],
      token_strs: ['<256>', 'h', 'i'],
    });
    const plain = await post(`${url}/tokenize`, { prompt: 'hi', add_special_tokens: false });
    expect(plain.body).toMatchObject({ tokens: [104, 105], token_strs: null });
    expect((await post(`${url}/tokenize`, chat('x'))).body.count, 'the template decides about a BOS').toBe(8);
    expect((await post(`${url}/detokenize`, { tokens: [104, 105] })).body).toEqual({ prompt: 'hi' });
    expect((await post(`${url}/detokenize`, { tokens: [999] })).status).toBe(400);
    expect((await post(`${url}/tokenize`, {})).status).toBe(400);
  });
});

describe('/metrics', () => {
  it('counts what happened and shows what the engine says', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    await post(`${url}/v1/completions`, { prompt: 'abc', n: 2 });
    await post(`${url}/v1/completions`, { prompt: 1 });
    const text = await (await fetch(`${url}/metrics`)).text();
    const value = (name: string): number => {
      const line = text.split('\n').find((each) => each.startsWith(`ridgepoint_${name}`));
      return Number(line?.split(' ').at(-1));
    };
    expect(value('time_to_first_token_seconds_count')).toBe(2);
    expect(value('inter_token_latency_seconds_count')).toBe(2 * 13);
    expect(value('e2e_request_latency_seconds_count')).toBe(2);
    expect(value('generation_tokens_total')).toBe(28);
    expect(value('prompt_tokens_total')).toBe(8);
    expect(value('request_success_total{finished_reason="stop"')).toBe(2);
    expect(value('http_responses_total{route="/v1/completions",status="400"')).toBe(1);
    expect(value('num_choices_in_flight')).toBe(0);
    expect(value('num_preemptions_total')).toBe(3);
    expect(value('prefix_cache_hits_total')).toBe(16);
    expect(value('kv_cache_usage_perc')).toBe(0);
    expect(value('num_requests_running')).toBe(0);
  });
});
