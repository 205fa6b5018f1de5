import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { z } from 'zod';

/** An agent with a tool, whole and as a stream, and one whose answer has a form. */
export async function mastra(baseURL, { model: name, prompt }) {
  const asked = [];
  const weather = createTool({
    id: 'weather',
    description: 'The weather of a city.',
    inputSchema: z.object({ city: z.string() }),
    execute: ({ context }) => {
      asked.push(context.city);
      return Promise.resolve({ sky: `sunny in ${context.city}` });
    },
  });
  // What stands before the first slash is the provider's.
  const model = { id: `local/${name}`, url: baseURL, apiKey: 'unused' };
  const forecaster = new Agent({ name: 'Forecaster', instructions: 'Answer.', model, tools: { weather } });
  const whole = await forecaster.generate(prompt);
  const stream = await forecaster.stream(prompt);
  let text = '';
  for await (const piece of stream.textStream) text += piece;
  const teller = new Agent({ name: 'Teller', instructions: 'Tell.', model });
  const schema = z.object({ name: z.string(), age: z.number() });
  const { object } = await teller.generate('A fox.', { structuredOutput: { schema } });
  return { answers: [whole.text, text], asked, object };
}
