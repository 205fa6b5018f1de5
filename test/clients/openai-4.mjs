import OpenAI from 'openai-4';
import { zodFunction } from 'openai-4/helpers/zod';
import { z } from 'zod/v3';

/** Everything that version 4 of `openai` does with chats: text, streams, tools, a runner of them. */
export async function openai4(baseURL, { model, prompt }) {
  const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 0 });
  const messages = [{ role: 'user', content: prompt }];
  const asked = [];
  const weather = zodFunction({
    name: 'weather',
    description: 'The weather of a city.',
    parameters: z.object({ city: z.string() }),
    function: ({ city }) => {
      asked.push(city);
      return 'sunny';
    },
  });
  const whole = await client.chat.completions.create({ model, messages, tools: [weather] });
  const stream = client.beta.chat.completions.stream({ model, messages, tools: [weather] });
  const streamed = await stream.finalChatCompletion();
  const run = client.beta.chat.completions.runTools({ model, messages, tools: [weather] });
  const runStream = client.beta.chat.completions.runTools({ model, messages, tools: [weather], stream: true });
  let deltas = '';
  runStream.on('content', (delta) => (deltas += delta));
  const text = await client.completions.create({ model, prompt, max_tokens: 4 });
  const error = await client.chat.completions.create({ model: 'nobody', messages }).catch((thrown) => thrown);
  return {
    calls: [whole, streamed].map(({ choices: [choice] }) => [
      choice.finish_reason,
      ...choice.message.tool_calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
    ]),
    answers: [await run.finalContent(), await runStream.finalContent()],
    deltas,
    asked,
    completion: text.choices[0].text,
    error: [error.constructor === OpenAI.NotFoundError, error.code],
  };
}

/** Texts as vectors, which this version asks for as numbers or as base64. */
export async function embed4(baseURL, { model, texts }) {
  const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 0 });
  const forms = [{}, { encoding_format: 'float' }];
  const answers = await Promise.all(forms.map((form) => client.embeddings.create({ model, input: texts, ...form })));
  return answers.map(({ data }) => data.map(({ embedding }) => embedding));
}
