import { describe, expect, it } from 'vitest';
import { IGNORED, REFUSED, sortFields, USED } from '../../src/serving/schema/fields.js';
import { OTHER_SERVERS } from '../../src/serving/schema/other-servers.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from './fake-engine.js';
import {
  LLAMA_SERVER,
  OPENAI_CHAT,
  OPENAI_COMPLETION,
  OPENAI_EMBEDDING,
  VLLM_CHAT,
  VLLM_COMPLETION,
  VLLM_EMBEDDING,
} from './peer-fields.js';
import { post, start } from './support.js';

const CHAT = { messages: [{ role: 'user', content: 'x' }], max_tokens: 2 };
const COMPLETION = { prompt: 'x', max_tokens: 2 };
/** No field takes it. */
const STRANGE = { strange: ['thing'] };

describe('fields of requests', () => {
  it('of every peer are used, refused or known to change nothing', () => {
    const places = (endpoint: 'chat' | 'completion' | 'embeddings', names: readonly string[]) =>
      names.filter((name) => !USED[endpoint].has(name) && !IGNORED.has(name) && !Object.hasOwn(REFUSED, name));
    for (const names of [OPENAI_CHAT, VLLM_CHAT, LLAMA_SERVER]) expect(places('chat', names)).toEqual([]);
    for (const names of [OPENAI_COMPLETION, VLLM_COMPLETION, LLAMA_SERVER]) {
      expect(places('completion', names)).toEqual([]);
    }
    for (const names of [OPENAI_EMBEDDING, VLLM_EMBEDDING, ['embd_normalize', 'content']]) {
      expect(places('embeddings', names)).toEqual([]);
    }
    for (const endpoint of ['chat', 'completion', 'embeddings'] as const) {
      expect(
        [...USED[endpoint]].filter((name) => IGNORED.has(name)),
        'in one list only',
      ).toEqual([]);
    }
  });

  it('of vLLM and llama-server are dropped only where whatever they say happens anyway', () => {
    const ofOpenAI = new Set([...OPENAI_CHAT, ...OPENAI_COMPLETION, ...OPENAI_EMBEDDING]);
    const own = [...VLLM_CHAT, ...VLLM_COMPLETION, ...VLLM_EMBEDDING, ...LLAMA_SERVER];
    const dropped = new Set(own.filter((name) => IGNORED.has(name) && !ofOpenAI.has(name)));
    expect([...dropped].toSorted()).toEqual([
      ...['backend_sampling', 'n_discard', 'n_keep', 'session_id', 'spaces_between_special_tokens'],
    ]);
  });

  it('that embeddings do not follow are refused by name, promises of time among them', () => {
    const names = [...VLLM_EMBEDDING, 'timings', 'ttft_slo_ms', 'itl_slo_ms', 'embd_normalize', 'content'];
    const refused = names.filter((name) => !USED.embeddings.has(name) && !IGNORED.has(name));
    expect(refused.length).toBeGreaterThan(15);
    for (const name of refused) {
      expect(() => sortFields('embeddings', { [name]: STRANGE }), name).toThrow(`${name}: `);
    }
    expect(sortFields('embeddings', { input: 'x', timings: false }).unknown).toEqual([]);
  });

  it('that are not followed are a 400 that names them, whatever peer they are of', async () => {
    const { url } = await start(new FakeEngine());
    const kinds = [
      ['chat/completions', 'chat', CHAT, [...OPENAI_CHAT, ...VLLM_CHAT, ...LLAMA_SERVER]],
      ['completions', 'completion', COMPLETION, [...OPENAI_COMPLETION, ...VLLM_COMPLETION, ...LLAMA_SERVER]],
    ] as const;
    let refused = 0;
    for (const [path, endpoint, good, names] of kinds) {
      for (const name of new Set(names)) {
        // A template's variables are any at all.
        if (name in good || name === 'user' || name === 'chat_template_kwargs') continue;
        const { status, body, headers } = await post(`${url}/v1/${path}`, { ...good, [name]: STRANGE });
        if (IGNORED.has(name)) {
          expect(status, name).toBe(200);
          expect(headers.get('x-ignored-fields'), name).toBeNull();
          continue;
        }
        if (USED[endpoint].has(name) && status === 200) expect(name).toMatch(/^(tool_choice|function_call)$/);
        expect(status, name).toBe(400);
        const { param, message } = body.error as unknown as { param: string; message: string };
        expect(param.startsWith(name) || ['tools', 'functions'].includes(param), `${name}: ${param}`).toBe(true);
        expect(message, name).toContain(param);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(180);
  });

  it('of one endpoint, sent to another, are not dropped where they would change the answer', () => {
    const forms = ['guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'grammar', 'json_schema'];
    const asked = [...forms, 'structured_outputs', 'n_predict', 'repeat_penalty'];
    for (const name of asked) {
      for (const endpoint of ['responses', 'messages'] as const) {
        expect(() => sortFields(endpoint, { [name]: STRANGE }), `${endpoint} ${name}`).toThrow(`${name}: `);
      }
    }
    for (const name of ['text', 'reasoning', 'truncation', 'include', 'tokens']) {
      for (const endpoint of ['chat', 'completion', 'messages'] as const) {
        expect(() => sortFields(endpoint, { [name]: STRANGE }), `${endpoint} ${name}`).toThrow(`${name}: `);
      }
    }
  });

  it('of servers whose API this is not are refused, too', async () => {
    const { url } = await start(new FakeEngine());
    for (const name of Object.keys(OTHER_SERVERS)) {
      const { status, body } = await post(`${url}/v1/completions`, { ...COMPLETION, [name]: STRANGE });
      expect(status, name).toBe(400);
      expect(body.error).toMatchObject({ param: name, message: expect.stringContaining(name) as string });
      expect(USED.completion.has(name) || USED.chat.has(name) || IGNORED.has(name), name).toBe(false);
    }
  });

  it('may ask for what happens anyway, and null is nothing', async () => {
    const { url } = await start(new FakeEngine());
    for (const [name, { neutral }] of Object.entries(REFUSED)) {
      for (const value of [...neutral, null]) {
        if (name in CHAT) continue;
        const { status, body } = await post(`${url}/v1/chat/completions`, { ...CHAT, [name]: value });
        expect(status, `${name} ${JSON.stringify(value)} ${JSON.stringify(body)}`).toBe(200);
      }
    }
  });

  it('that nobody knows are named in the answer; slips of the pen are refused', async () => {
    const { url } = await start(new FakeEngine());
    const to = `${url}/v1/completions`;
    const odd = await post(to, { ...COMPLETION, my_field: 1, 'x\ny': 2, constructor: 3 });
    expect(odd.status).toBe(200);
    expect(odd.headers.get('x-ignored-fields')).toBe('my_field, constructor');
    const slips = { temprature: 'temperature', maxTokens: 'max_tokens', 'top-p': 'top_p', sotp: undefined };
    for (const [slip, meant] of Object.entries(slips)) {
      const { status, body } = await post(to, { ...COMPLETION, [slip]: 1 });
      expect(status, slip).toBe(meant === undefined ? 200 : 400);
      if (meant !== undefined)
        expect(body.error).toMatchObject({ param: slip, message: expect.stringContaining(meant) as string });
    }
  });

  it('inside others are not dropped either', async () => {
    const { url } = await start(new FakeEngine(), { compileGrammar });
    const to = `${url}/v1/chat/completions`;
    const cases: [object, string][] = [
      [{ response_format: { type: 'text', schema: {} } }, 'response_format.schema'],
      [{ response_format: { type: 'json_object', json_schema: {} } }, 'response_format.json_schema'],
      [{ response_format: { type: 'json_object', schema: 5 } }, 'response_format.schema'],
      [
        { response_format: { type: 'json_schema', json_schema: { schema: {}, grammar: 'x' } } },
        'response_format.json_schema.grammar',
      ],
      [{ stream: true, stream_options: { continuous_usage_stats: true } }, 'stream_options.continuous_usage_stats'],
      [{ messages: [...CHAT.messages, { role: 'assistant', content: 'A', prefix: true }] }, 'messages[1].prefix'],
      [{ stream: true, stream_options: { every: 5 } }, 'stream_options.every'],
      [{ messages: [{ role: 'user', content: 'A', images: ['x'] }] }, 'messages[0].images'],
      [{ logit_bias: JSON.parse('{"__proto__": 5}') as object }, 'logit_bias.__proto__'],
      [{ logit_bias: { '5': 1, '05': 2 } }, 'logit_bias.05'],
    ];
    for (const [fields, param] of cases) {
      const { status, body } = await post(to, { ...CHAT, ...fields });
      expect(status, param).toBe(400);
      expect(body.error).toMatchObject({ param });
    }
  });

  it('are options of the engine by the names that other servers have for them', async () => {
    const engine = new FakeEngine();
    const { url } = await start(engine);
    const ask = async (path: string, fields: object) => {
      const { status, body } = await post(`${url}/v1/${path}`, fields);
      expect(status, JSON.stringify(body)).toBe(200);
      return engine.calls.at(-1)!;
    };
    const fields = {
      ...{ repeat_penalty: 1.2, stop_token_ids: [5, 99], include_stop_str_in_output: true },
      ...{ min_tokens: 1, skip_special_tokens: false },
    };
    const options = {
      ...{ repetitionPenalty: 1.2, stopIds: [5, 99], includeStop: true },
      ...{ minTokens: 1, skipSpecialTokens: false },
    };
    for (const [path, of] of [
      ['completions', COMPLETION],
      ['chat/completions', CHAT],
    ] as const) {
      expect((await ask(path, { ...of, ...fields })).options, path).toMatchObject(options);
    }
    const [begun, bare] = [true, false].map((add_special_tokens) => ({ ...COMPLETION, add_special_tokens }));
    expect((await ask('completions', begun)).prompt).toEqual([256, 120]);
    expect((await ask('completions', bare)).prompt).toEqual([120]);
  });

  it('json_object with a schema keeps to the schema', async () => {
    const { url } = await start(new FakeEngine({ reply: () => '{"b": true}' }), {
      compileGrammar,
    });
    const schema = {
      type: 'object',
      properties: { age: { type: 'integer', maximum: 9, minimum: 0 } },
      required: ['age'],
      additionalProperties: false,
    };
    for (const response_format of [
      { type: 'json_object', schema },
      { type: 'json_schema', json_schema: { name: 'x', schema } },
    ]) {
      const { body } = await post(`${url}/v1/completions`, { prompt: 'x', max_tokens: 60, response_format });
      expect(Object.keys(JSON.parse(body.choices[0].text) as object)).toEqual(['age']);
    }
  });
});

it('what concerns an answer alone keeps no text from being counted', () => {
  const { used, unknown } = sortFields('tokenize', { prompt: 'x', max_tokens: 4, n: 2, response_format: {}, seed: 1 });
  expect([{ ...used }, unknown]).toEqual([{ prompt: 'x' }, []]);
  expect(() => sortFields('tokenize', { prompt: 'x', truncate_prompt_tokens: 4 })).toThrow(/cutting prompts/);
  expect(() => sortFields('responses', { input: 'x', max_tokens: 4 })).toThrow(/use max_output_tokens/);
});
