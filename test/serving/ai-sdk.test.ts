import { createOpenAI } from '@ai-sdk/openai';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, embedMany, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { FakeEngine } from './fake-engine.js';
import { loadReal } from './real.js';
import { pause, until } from './support.js';
import { WAYS, type Door } from './doors.js';

const PROMPT = 'Once upon a time';

const provider = ({ url, fetch }: Door) =>
  createOpenAICompatible({ name: 'ridgepoint', baseURL: `${url}/v1`, apiKey: 'unused', includeUsage: true, fetch });

let engine: CoreEngine;
beforeAll(async () => void (engine = await loadReal(undefined, { pooling: 'mean' })));
afterAll(() => engine.dispose());

describe.each(WAYS)('the AI SDK, $name', ({ open }) => {
  it('generates and streams the same text, with usage and the reason of its end', async () => {
    const door = await open(engine);
    const request = {
      model: provider(door)('tiny-tales'),
      prompt: PROMPT,
      temperature: 0,
      maxOutputTokens: 20,
      maxRetries: 0,
    };
    const whole = await generateText(request);
    expect(whole.finishReason).toBe('length');
    expect(whole.usage).toMatchObject({ inputTokens: 5, outputTokens: 20, totalTokens: 25 });
    const stream = streamText(request);
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe(whole.text);
    expect(await stream.usage).toMatchObject({ inputTokens: 5, outputTokens: 20 });
    expect(await stream.finishReason).toBe('length');
    const completion = await generateText({ ...request, model: provider(door).completionModel('tiny-tales') });
    expect(completion.text.length).toBeGreaterThan(0);
  });

  it.each(['compatible', 'responses', 'chat'] as const)('calls tools, step after step: %s', async (api) => {
    const reply = (prompt: string): string =>
      prompt.includes('</tool_response>')
        ? 'It is sunny.'
        : '<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}</tool_call>';
    const door = await open(new FakeEngine({ reply }), { compileGrammar });
    const asked: string[] = [];
    const weather = tool({
      description: 'Tells the weather.',
      inputSchema: z.object({ city: z.string() }),
      execute: ({ city }) => {
        asked.push(city);
        return { sky: 'sunny' };
      },
    });
    const openai = createOpenAI({ baseURL: `${door.url}/v1`, apiKey: 'unused', fetch: door.fetch });
    const models = { compatible: provider(door), responses: openai, chat: (id: string) => openai.chat(id) };
    const request = {
      model: models[api]('fake/bytes'),
      prompt: PROMPT,
      tools: { weather },
      stopWhen: stepCountIs(3),
    };
    const whole = await generateText(request);
    expect(whole.text).toBe('It is sunny.');
    expect(whole.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'stop']);
    const stream = streamText(request);
    let text = '';
    for await (const piece of stream.textStream) text += piece;
    expect(text).toBe('It is sunny.');
    expect(asked).toEqual(['Rome', 'Rome']);
    const named = await generateText({
      ...request,
      stopWhen: stepCountIs(1),
      toolChoice: { type: 'tool', toolName: 'weather' },
    });
    expect(named.toolCalls.map(({ toolName }) => toolName)).toEqual(['weather']);
  });

  it('embeds as the engine does', async () => {
    const door = await open(engine);
    const values = ['A fox ran.', 'The sea is wide and blue.'];
    const { vectors, tokens } = await engine.embed(values);
    const openai = createOpenAI({ baseURL: `${door.url}/v1`, apiKey: 'unused', fetch: door.fetch });
    for (const model of [provider(door).embeddingModel('tiny-tales'), openai.embedding('tiny-tales')]) {
      const { embeddings, usage } = await embedMany({ model, values, maxRetries: 0 });
      expect(embeddings.map((vector) => Float32Array.from(vector))).toEqual(vectors);
      expect(usage.tokens).toBe(tokens[0] + tokens[1]);
    }
  });

  it('aborts', async () => {
    const slow = new FakeEngine({ step: () => pause(3), reply: () => 'x'.repeat(4000) });
    const door = await open(slow);
    const aborter = new AbortController();
    const stream = streamText({
      model: provider(door)('fake/bytes'),
      prompt: PROMPT,
      abortSignal: aborter.signal,
      onError: () => undefined,
    });
    for await (const piece of stream.textStream) if (piece !== '') aborter.abort();
    await until(() => slow.running === 0);
    expect(slow.aborted).toBe(1);
  });

  it('reports errors in their own words', async () => {
    const door = await open(new FakeEngine());
    const error = await generateText({ model: provider(door)('gpt'), prompt: PROMPT, maxRetries: 0 }).catch(
      (thrown: unknown) => thrown,
    );
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ statusCode: 404, message: expect.stringContaining('"gpt"') as string });
  });
});
