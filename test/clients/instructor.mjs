import createInstructor from '@instructor-ai/instructor';
import OpenAI from 'openai';
import { z } from 'zod/v3';

const schema = z.object({ name: z.string(), age: z.number() });

/** What a model says in one of the modes that instructor knows, whole or as a stream of what is there. */
export async function instructor(baseURL, { model, prompt, mode, stream }) {
  const client = new OpenAI({ baseURL, apiKey: 'unused', maxRetries: 0 });
  const asking = createInstructor({ client, mode });
  const request = {
    model,
    messages: [{ role: 'user', content: prompt }],
    response_model: { schema, name: 'Fox' },
    max_retries: 0,
  };
  if (!stream) {
    const { name, age } = await asking.chat.completions.create(request);
    return { name, age };
  }
  let last;
  for await (const part of await asking.chat.completions.create({ ...request, stream: true })) last = part;
  return { name: last.name, age: last.age };
}
