import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from '../serving/fake-engine.js';
import { loadReal } from '../serving/real.js';
import { start } from '../serving/support.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const installed = existsSync(`${here}node_modules/openai-4`);
if (!installed) console.warn('clients of others are not tested here: .ci/install-clients installs them');

const model = 'fake/bytes';
const prompt = 'What is the weather in Rome?';
const FOX = '{"name": "Reynard", "age": 4}';

/** Says what a model would that has read who may be asked and what has been answered. */
function reply(text: string): string {
  const call = (name: string, args: string): string =>
    `<tool_call>{"name": "${name}", "arguments": ${args}}</tool_call>`;
  if (text.includes('sunny')) return 'It is sunny.';
  const tool = /{"name":"(\w+)",/.exec(text)?.[1];
  if (!text.includes('You may call functions') || tool === undefined) return written(text);
  return call(tool, tool === 'weather' ? '{"city": "Rome"}' : /fox/i.test(tool) ? FOX : '{}');
}

/** A fox in a block of Markdown, after some thought, where the prompt wants it so. */
function written(text: string): string {
  const block = text.includes('```json') ? `\`\`\`json\n${FOX}\n\`\`\`` : FOX;
  return text.includes('<think>') ? `<think>Foxes are called Reynard.</think>\n${block}` : block;
}

type Run = (baseURL: string, options: object) => Promise<unknown>;

/** A client's own script; their packages are not there when types are checked. */
async function client(file: string, name: string): Promise<(options: object) => Promise<unknown>> {
  const scripts = (await import(pathToFileURL(`${here}${file}.mjs`).href)) as Record<string, Run>;
  const { url } = await start(new FakeEngine({ reply }), { compileGrammar });
  return (options) => scripts[name](`${url}/v1`, { model, prompt, ...options });
}

describe.skipIf(!installed)('unmodified clients', () => {
  it('openai 4', async () => {
    const run = await client('openai-4', 'openai4');
    expect(await run({})).toEqual({
      calls: Array(2).fill(['tool_calls', ['weather', { city: 'Rome' }]]),
      answers: ['It is sunny.', 'It is sunny.'],
      deltas: 'It is sunny.',
      asked: ['Rome', 'Rome'],
      completion: FOX.slice(0, 4),
      error: [true, 'model_not_found'],
    });
  });

  it.each([false, true])('@langchain/openai: bindTools, by responses: %s', async (responses) => {
    const run = await client('langchain', 'bindTools');
    expect(await run({ responses })).toMatchObject({
      calls: Array(3).fill([['weather', { city: 'Rome' }]]),
      answers: ['It is sunny.', 'It is sunny.'],
      usage: { output_tokens: expect.any(Number) as number },
    });
  });

  it.each(['functionCalling', 'jsonSchema', 'jsonMode'])('@langchain/openai: %s', async (method) => {
    const run = await client('langchain', 'structured');
    for (const stream of [false, true]) expect(await run({ method, stream })).toEqual({ name: 'Reynard', age: 4 });
  });

  it.each([undefined, false])('@openai/agents: tools and handoffs, by responses: %s', async (responses) => {
    const run = await client('agents', 'agents');
    for (const stream of [false, true]) {
      expect(await run({ responses, stream })).toEqual({
        output: 'It is sunny.',
        last: 'Forecaster',
        text: stream ? 'It is sunny.' : '',
        asked: ['Rome'],
        items: [
          ...['handoff_call_item', 'handoff_output_item'],
          ...['tool_call_item', 'tool_call_output_item', 'message_output_item'],
        ],
        again: 'It is sunny.',
      });
    }
  });

  it('@mastra/core', async () => {
    const run = await client('mastra', 'mastra');
    expect(await run({})).toEqual({
      answers: ['It is sunny.', 'It is sunny.'],
      asked: ['Rome', 'Rome'],
      object: { name: 'Reynard', age: 4 },
    });
  });

  it.skipIf(!existsSync(`${here}promptfoo/node_modules/promptfoo`))('promptfoo', async () => {
    const run = await client('promptfoo/run', 'promptfoo');
    expect(await run({})).toEqual(Array(4).fill({ success: true }));
  });

  it.each(['FUNCTIONS', 'TOOLS', 'JSON', 'MD_JSON', 'JSON_SCHEMA', 'THINKING_MD_JSON'])(
    'instructor: %s',
    async (mode) => {
      const thinks = mode.startsWith('THINKING');
      const run = await client('instructor', 'instructor');
      // Of a stream in that mode, this instructor reads each piece as if it were a whole answer.
      for (const stream of thinks ? [false] : [false, true]) {
        expect(await run({ mode, stream }), `stream: ${stream}`).toEqual({ name: 'Reynard', age: 4 });
      }
    },
  );

  describe('with a model that knows nothing of tools', () => {
    let engine: CoreEngine;
    beforeAll(async () => void (engine = await loadReal(undefined, { pooling: 'mean' })));
    afterAll(() => engine.dispose());

    it.each([
      ['openai-4', 'embed4'],
      ['langchain', 'embed'],
    ])('%s: embeds as the engine does', async (file, name) => {
      const scripts = (await import(pathToFileURL(`${here}${file}.mjs`).href)) as Record<string, Run>;
      const { url } = await start(engine);
      const texts = ['A fox ran.', 'The sea is wide and blue.'];
      const { vectors } = await engine.embed(texts);
      const found = (await scripts[name](`${url}/v1`, { model: 'tiny-tales', texts })) as number[][][];
      for (const way of found) expect(way.map((vector) => Float32Array.from(vector))).toEqual(vectors);
    });

    it.each(['functionCalling', 'jsonSchema'])('@langchain/openai: %s fits its schema', async (method) => {
      const { structured } = (await import(pathToFileURL(`${here}langchain.mjs`).href)) as Record<string, Run>;
      const { url } = await start(engine, { compileGrammar });
      const fox = await structured(`${url}/v1`, { model: 'tiny-tales', prompt: 'A fox.', method, maxTokens: 120 });
      const { name, age } = fox as { name: string; age: number };
      expect(name.length).toBeLessThanOrEqual(10);
      expect(age).toBeGreaterThanOrEqual(0);
      expect(age).toBeLessThanOrEqual(20);
    });
  });
});
