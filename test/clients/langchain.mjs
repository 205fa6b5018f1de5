import { AIMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { tool } from '@langchain/core/tools';
import { ChatOpenAI, OpenAIEmbeddings } from '@langchain/openai';
import { z } from 'zod';

const weather = tool(({ city }) => `sunny in ${city}`, {
  name: 'weather',
  description: 'The weather of a city.',
  schema: z.object({ city: z.string() }),
});

function chat(baseURL, model, options = {}) {
  return new ChatOpenAI({ model, apiKey: 'unused', maxRetries: 0, configuration: { baseURL }, ...options });
}

/** A turn of a chat with tools: a call, its answer, the text after it; whole, and as a stream. */
export async function bindTools(baseURL, { model, prompt, responses }) {
  const bound = chat(baseURL, model, { useResponsesApi: responses }).bindTools([weather]);
  const user = new HumanMessage(prompt);
  const called = await bound.invoke([user]);
  let streamed;
  for await (const chunk of await bound.stream([user])) streamed = streamed?.concat(chunk) ?? chunk;
  const answers = [];
  for (const message of [called, streamed]) {
    const result = await weather.invoke(message.tool_calls[0]);
    const history = [user, new AIMessage({ content: '', tool_calls: message.tool_calls }), result];
    if (!(result instanceof ToolMessage)) throw new Error('the tool gave no message');
    const last = await bound.invoke(history);
    answers.push(last.text);
  }
  const forced = await chat(baseURL, model, { useResponsesApi: responses })
    .bindTools([weather], { tool_choice: 'weather' })
    .invoke([user]);
  const calls = ({ tool_calls }) => tool_calls.map(({ name, args }) => [name, args]);
  return { calls: [called, streamed, forced].map(calls), answers, usage: called.usage_metadata };
}

/** Structured output, by each of the client's methods. */
export async function structured(baseURL, { model, prompt, method, stream, maxTokens }) {
  const schema = z.object({ name: z.string().max(10), age: z.number().int().min(0).max(20) });
  const bound = chat(baseURL, model, { maxTokens }).withStructuredOutput(schema, { method, name: 'fox' });
  if (!stream) return bound.invoke(prompt);
  let last;
  for await (const part of await bound.stream(prompt)) last = part;
  return last;
}

/** Texts as vectors, in batches and one by itself. */
export async function embed(baseURL, { model, texts }) {
  const embeddings = new OpenAIEmbeddings({ model, apiKey: 'unused', maxRetries: 0, configuration: { baseURL } });
  const one = await Promise.all(texts.map((text) => embeddings.embedQuery(text)));
  return [await embeddings.embedDocuments(texts), one];
}
