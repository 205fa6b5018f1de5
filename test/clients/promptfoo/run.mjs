import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const command = join(import.meta.dirname, 'node_modules', 'promptfoo', 'dist', 'src', 'entrypoint.js');
const weather = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
};
const fox = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer' } },
  required: ['name', 'age'],
  additionalProperties: false,
};

/**
 * `promptfoo eval`: calls of a tool by chats and by responses, JSON of a schema by chats and by completions.
 *
 * @returns what its own assertions found, a row a provider
 */
export async function promptfoo(baseURL, { model }) {
  const config = { apiBaseUrl: baseURL, apiKey: 'unused', max_tokens: 100 };
  const tool = { name: 'weather', description: 'The weather of a city.', parameters: weather };
  const tools = [{ type: 'function', function: tool }];
  const form = { type: 'json_schema', json_schema: { name: 'fox', strict: true, schema: fox } };
  const calls = { type: 'is-valid-openai-tools-call' };
  const json = { type: 'is-json', value: fox };
  const city = { type: 'contains', value: 'Rome' };
  const suites = [
    ['What is the weather in Rome?', `openai:chat:${model}`, { tools, tool_choice: 'required' }, [calls, city]],
    ['What is the weather in Rome?', `openai:responses:${model}`, { tools: [{ type: 'function', ...tool }] }, [city]],
    ['A fox.', `openai:chat:${model}`, { response_format: form }, [json]],
    ['A fox.', `openai:completion:${model}`, {}, [json]],
  ];
  const folder = await mkdtemp(join(tmpdir(), 'ridgepoint-promptfoo-'));
  try {
    const files = [];
    for (const [at, [prompt, id, own, assert]] of suites.entries()) {
      const file = join(folder, `${at}.json`);
      const suite = { prompts: [prompt], providers: [{ id, config: { ...config, ...own } }], tests: [{ assert }] };
      await writeFile(file, JSON.stringify(suite));
      files.push(file);
    }
    return await Promise.all(files.map((file) => evaluate(folder, file)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function evaluate(folder, file) {
  const env = {
    ...process.env,
    PROMPTFOO_CONFIG_DIR: `${file}.d`,
    PROMPTFOO_DISABLE_TELEMETRY: '1',
    PROMPTFOO_DISABLE_UPDATE: '1',
    PROMPTFOO_DISABLE_REMOTE_GENERATION: 'true',
  };
  const output = `${file}.out.json`;
  const options = ['-c', file, '-o', output, '--no-write', '--no-cache', '--no-progress-bar', '--no-table'];
  // It ends with a code where an assertion failed; the file says which.
  await promisify(execFile)(process.execPath, [command, 'eval', ...options], { cwd: folder, env }).catch(() => {});
  const { results } = JSON.parse(await readFile(output, 'utf8'));
  const [{ success, error, response }] = results.results;
  return { success, ...(success ? {} : { error, response }) };
}
