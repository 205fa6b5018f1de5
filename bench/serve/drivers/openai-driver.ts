import { z } from 'zod';
import { RidgepointError } from '../../../src/errors.js';
import { option, words } from '../../../src/wording.js';
import { seedOf } from '../../../src/seed.js';
import type { LoadDriver, Reply, Sending } from '../load/driver.js';
import type { PlannedRequest, Workload } from '../../../src/traffic/workload.js';
import { HttpClient, HttpError } from './http.js';
import { idPrompts } from './prompt-ids.js';
import { USUAL, wordPrompts, promptWords, wordTokens, type WordTokens } from './prompt-words.js';
import { EventParser } from './sse.js';

export interface OpenAiServerOptions {
  /** With or without `/v1` at its end. */
  readonly baseUrl: string;
  readonly apiKey?: string;
  /** As the server calls it; the first one it lists when absent. */
  readonly model?: string;
  readonly endpoint: 'completions' | 'chat';
  readonly temperature: number;
  /** Sends `ignore_eos`, which servers beyond OpenAI's understand. */
  readonly ignoreEos: boolean;
  /** Ids below this as prompts instead of text; for `completions`. */
  readonly vocab?: number;
  /** Added to each body. */
  readonly extraBody?: Readonly<Record<string, unknown>>;
}

const tokenIds = z.array(z.number()).nullish();
/** What is looked at of an event; servers add fields of their own. */
const eventSchema = z.object({
  error: z.union([z.object({ message: z.string() }), z.string()]).nullish(),
  choices: z
    .array(
      z.object({
        text: z.string().nullish(),
        delta: z
          .object({ content: z.string().nullish(), reasoning_content: z.string().nullish(), token_ids: tokenIds })
          .nullish(),
        token_ids: tokenIds,
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: z.object({ prompt_tokens: z.number().nullish(), completion_tokens: z.number().nullish() }).nullish(),
});

const modelsSchema = z.object({
  data: z.array(
    z.object({ id: z.string(), max_model_len: z.number().nullish(), context_length: z.number().nullish() }),
  ),
});
const countedSchema = z.object({ usage: z.object({ prompt_tokens: z.number() }) });

/** A server that speaks OpenAI's protocol. */
export class OpenAiServer {
  readonly #client: HttpClient;
  readonly #options: OpenAiServerOptions;
  readonly #counted: WordTokens;

  readonly model: string;
  /** Where the server says it. */
  readonly contextLength: number | undefined;
  /** Something about the prompts that a reader of the result must know. */
  readonly note: string | undefined;

  private constructor(
    client: HttpClient,
    options: OpenAiServerOptions,
    counted: WordTokens,
    found: Pick<OpenAiServer, 'model' | 'contextLength' | 'note'>,
  ) {
    this.#client = client;
    this.#options = options;
    this.#counted = counted;
    this.model = found.model;
    this.contextLength = found.contextLength;
    this.note = found.note;
  }

  /**
   * Asks the server for its model, and how it counts words.
   *
   * @throws RidgepointError when it cannot be reached or refuses
   */
  static async open(options: OpenAiServerOptions): Promise<OpenAiServer> {
    const base = baseOf(options.baseUrl);
    if (options.vocab !== undefined && options.endpoint === 'chat') {
      throw new RidgepointError(
        'usage',
        words`${option('benchServe.vocabSize')}: a chat takes no token ids; use ${option('benchServe.endpoint')} completions`,
      );
    }
    const headers: Record<string, string> = { accept: 'application/json, text/event-stream' };
    if (options.apiKey !== undefined) headers.authorization = `Bearer ${options.apiKey}`;
    const client = new HttpClient(base, headers);
    try {
      const listed = await modelOf(client, options.model);
      const { model } = listed;
      const counted = options.vocab === undefined ? await countWords(client, options, model) : USUAL;
      const note =
        counted === undefined
          ? 'the server does not count prompt tokens; prompts are made of words taken as 1.3 tokens each'
          : undefined;
      return new OpenAiServer(client, options, counted ?? USUAL, { ...listed, note });
    } catch (cause) {
      client.close();
      const why = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
      throw new RidgepointError(
        'usage',
        words`${option('benchServe.baseUrl')} ${options.baseUrl}: ${why ?? 'it does not answer'}`,
        { cause },
      );
    }
  }

  driver(workload: Pick<Workload, 'seed' | 'sharedPrefix'>): LoadDriver {
    const { vocab, endpoint } = this.#options;
    const promptOf = vocab === undefined ? wordPrompts(this.#counted, workload) : idPrompts(vocab, workload);
    return {
      backend: endpoint === 'chat' ? 'openai-chat' : 'openai',
      prepare: (request) => {
        const body = this.#body(promptOf(request), request);
        return (sending) => this.#stream(body, sending);
      },
    };
  }

  close(): void {
    this.#client.close();
  }

  #body(prompt: string | readonly number[], { index, outputTokens }: PlannedRequest): object {
    const { ignoreEos, extraBody, temperature } = this.#options;
    return {
      ...promptFields(this.#options, this.model, prompt),
      max_tokens: outputTokens,
      temperature,
      seed: index,
      stream: true,
      stream_options: { include_usage: true },
      ...(ignoreEos ? { ignore_eos: true } : {}),
      ...extraBody,
    };
  }

  async #stream(body: object, { onTokens, signal }: Sending): Promise<Reply> {
    const response = await this.#client.send('POST', pathOf(this.#options.endpoint), body, signal);
    const events = new EventParser();
    let finish: string | undefined;
    let done = false;
    let usage: z.infer<typeof eventSchema>['usage'];
    for await (const bytes of response as AsyncIterable<Buffer>) {
      for (const data of events.push(bytes)) {
        if (data === '[DONE]') {
          done = true;
          continue;
        }
        const event = parseEvent(data);
        usage = event.usage ?? usage;
        for (const choice of event.choices ?? []) {
          finish = choice.finish_reason ?? finish;
          const tokens = tokensIn(choice);
          if (tokens > 0) onTokens(tokens);
        }
      }
    }
    if (!done && finish === undefined) throw new Error('the stream ended before the answer did');
    return {
      promptTokens: usage?.prompt_tokens ?? undefined,
      outputTokens: usage?.completion_tokens ?? undefined,
      finish: finish ?? 'unknown',
    };
  }
}

const pathOf = (endpoint: OpenAiServerOptions['endpoint']): string =>
  endpoint === 'chat' ? '/v1/chat/completions' : '/v1/completions';

function promptFields({ endpoint }: OpenAiServerOptions, model: string, prompt: string | readonly number[]): object {
  return endpoint === 'chat' ? { model, messages: [{ role: 'user', content: prompt }] } : { model, prompt };
}

/** @throws RidgepointError */
function baseOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new RidgepointError(
      'usage',
      words`${option('benchServe.baseUrl')} must be an address such as http://127.0.0.1:8000, found ${text}`,
    );
  }
  // Errors and results name the address, which must therefore hold no secret.
  if (url.username + url.password + url.search !== '') {
    throw new RidgepointError(
      'usage',
      words`${option('benchServe.baseUrl')} must be an address without a name, password or query; give a key as ${option('benchServe.apiKey')}`,
    );
  }
  url.pathname = url.pathname.replace(/\/(v1\/?)?$/, '');
  return url;
}

async function modelOf(
  client: HttpClient,
  wanted: string | undefined,
): Promise<{ model: string; contextLength: number | undefined }> {
  let listed: z.infer<typeof modelsSchema>['data'] = [];
  try {
    listed = modelsSchema.parse(await client.json('GET', '/v1/models')).data;
  } catch (error) {
    // Some servers do not list models; one that cannot be reached, or wants a key, is another matter.
    const missing = error instanceof HttpError ? ![401, 403].includes(error.status) : error instanceof z.ZodError;
    if (!missing || wanted === undefined) throw error;
  }
  const model = wanted ?? listed[0]?.id;
  if (model === undefined)
    throw new RidgepointError(
      'usage',
      words`the server lists no model; name one with ${option('benchServe.servedModel')}`,
    );
  const entry = listed.find(({ id }) => id === model);
  return { model, contextLength: entry?.max_model_len ?? entry?.context_length ?? undefined };
}

/** How many tokens the server counts in texts of few and of many words; undefined where it does not say. */
async function countWords(
  client: HttpClient,
  options: OpenAiServerOptions,
  model: string,
): Promise<WordTokens | undefined> {
  const [few, many] = [16, 112];
  const tokensOf = async (count: number): Promise<number | undefined> => {
    const prompt = promptFields(options, model, promptWords(count, seedOf(`probe ${count}`)));
    const body = { ...prompt, max_tokens: 1, temperature: 0, ...options.extraBody };
    const answer = countedSchema.safeParse(await client.json('POST', pathOf(options.endpoint), body));
    return answer.success ? answer.data.usage.prompt_tokens : undefined;
  };
  const [a, b] = [await tokensOf(few), await tokensOf(many)];
  return a === undefined || b === undefined ? undefined : wordTokens([few, a], [many, b]);
}

type Choice = NonNullable<z.infer<typeof eventSchema>['choices']>[number];

/** Tokens an event brings: its ids where the server sends them, else one for any text; a role alone is none. */
function tokensIn({ text, delta, token_ids: ids }: Choice): number {
  const listed = ids ?? delta?.token_ids;
  if (listed) return listed.length;
  return text || delta?.content || delta?.reasoning_content ? 1 : 0;
}

/** @throws Error when it is no JSON, of another shape, or reports an error */
function parseEvent(data: string): z.infer<typeof eventSchema> {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    throw new Error(`an event is no JSON: ${data.slice(0, 80)}`);
  }
  const parsed = eventSchema.safeParse(json);
  if (!parsed.success) throw new Error(`an event is not as expected: ${parsed.error.issues[0].message}`);
  const { error } = parsed.data;
  if (error) throw new Error(typeof error === 'string' ? error : error.message);
  return parsed.data;
}
