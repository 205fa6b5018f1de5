import { Agent, OpenAIProvider, Runner, tool } from '@openai/agents';
import { z } from 'zod';

/** An agent that hands over to one with a tool; by `/v1/responses`, the SDK's own choice, or by chats. */
export async function agents(baseURL, { model, prompt, responses, stream }) {
  const asked = [];
  const weather = tool({
    name: 'weather',
    description: 'The weather of a city.',
    parameters: z.object({ city: z.string() }),
    execute: ({ city }) => {
      asked.push(city);
      return 'sunny';
    },
  });
  const forecaster = new Agent({ name: 'Forecaster', instructions: 'Tell the weather.', tools: [weather], model });
  const desk = new Agent({ name: 'Desk', instructions: 'Hand over.', handoffs: [forecaster], model });
  const modelProvider = new OpenAIProvider({
    baseURL,
    apiKey: 'unused',
    ...(responses === undefined ? {} : { useResponses: responses }),
  });
  const runner = new Runner({ modelProvider, tracingDisabled: true });
  const run = await runner.run(desk, prompt, { stream });
  let text = '';
  if (stream) {
    for await (const piece of run.toTextStream()) text += piece;
    await run.completed;
  }
  const again = await runner.run(desk, [...run.history, { role: 'user', content: 'And now?' }]);
  return {
    output: run.finalOutput,
    last: run.lastAgent.name,
    text,
    asked,
    items: run.newItems.map(({ type }) => type),
    again: again.finalOutput,
  };
}
