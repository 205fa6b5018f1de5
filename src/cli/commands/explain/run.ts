import { z } from 'zod';
import { RidgepointError } from '../../../errors.js';
import { option, words } from '../../../wording.js';
import { keepSecret } from '../../../platform/node/secrets.js';
import { withDefaults } from '../../options/command-table.js';
import { EXIT } from '../../run.js';
import { print } from '../../terminal/output.js';
import { aligned } from '../../terminal/table.js';
import { EXPLAIN, type ExplainFlags } from './command.js';

const ms = z.number().nullable();
const instead = z.object({ ttft_ms: ms, e2e_ms: ms });
const told = z.object({
  id: z.string(),
  state: z.string(),
  choices: z.array(
    z.object({
      index: z.number(),
      timings: z.object({
        ttft_ms: ms,
        itl_ms: ms,
        tokens: z.number(),
        prompt_tokens: z.number(),
        cached_tokens: z.number(),
        predicted: z.object({ ttft_ms: ms, itl_ms: ms, from: z.string() }).nullable(),
      }),
      // Of many choices the first are explained.
      whole_ms: z.number().optional(),
      spent: z.record(z.string(), z.number()).default({}),
      steps: z.number().optional(),
      complete: z.boolean().default(true),
      replayed: instead.optional(),
      alone: instead.optional(),
      without: instead.optional(),
      neighbours: z
        .array(z.object({ request: z.string().nullable(), cost_ms: z.number(), without: instead }))
        .optional(),
    }),
  ),
});

type Choice = z.infer<typeof told>['choices'][number];
type Instead = z.infer<typeof instead>;

const WORDS: Readonly<Record<string, string>> = {
  before_ms: 'before the queue',
  queue_ms: 'in the queue',
  prefill_ms: 'its own prompt',
  decode_ms: 'its own tokens',
  others_prompts_ms: 'prompts of others',
  others_rows_ms: 'tokens of others',
  preemption_ms: 'sent away for memory',
  host_ms: 'the host',
};

/**
 * Asks a server about one of its requests.
 *
 * @returns the exit code
 * @throws RidgepointError where the server cannot be reached, or does not know the request
 */
export async function explainRequest(request: string, given: ExplainFlags): Promise<number> {
  const flags = withDefaults(EXPLAIN, given);
  const key = flags.apiKey ?? process.env.RIDGEPOINT_API_KEY?.split(',')[0].trim();
  if (key !== undefined && key !== '') keepSecret(key);
  const query = flags.without === undefined ? '' : `?without=${encodeURIComponent(flags.without.join(','))}`;
  const address = `${flags.url.replace(/\/+$/, '')}/v1/requests/${encodeURIComponent(request)}${query}`;
  const headers: Record<string, string> = key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` };
  let response: Response;
  try {
    response = await fetch(address, { headers });
  } catch (cause) {
    throw new RidgepointError(
      'usage',
      words`no server answers at ${flags.url}; name yours with ${option('explain.url')}`,
      { cause },
    );
  }
  const body: unknown = await response.json().catch(() => undefined);
  if (!response.ok) {
    const { error } = z.object({ error: z.object({ message: z.string() }) }).safeParse(body).data ?? {};
    throw new RidgepointError('usage', `${flags.url}: ${error?.message ?? `it answers ${response.status}`}`);
  }
  const parsed = told.safeParse(body);
  if (!parsed.success) throw new RidgepointError('usage', `${flags.url}: this is no server of Ridgepoint's`);
  if (flags.json) print(`${JSON.stringify(body, null, 2)}\n`);
  else
    print(parsed.data.choices.map((choice) => choiceText(choice, parsed.data)).join('\n') || 'It has not started.\n');
  return EXIT.ok;
}

const shown = (value: number | null | undefined): string =>
  value === null || value === undefined ? '-' : `${value >= 100 ? value.toFixed(0) : value.toFixed(1)} ms`;

function choiceText(choice: Choice, { id, state, choices }: z.infer<typeof told>): string {
  const { timings, whole_ms: whole, spent, steps, complete, neighbours = [] } = choice;
  const { predicted } = timings;
  const which = choices.length > 1 ? `, choice ${choice.index}` : '';
  const head =
    `${id}${which}: ${state}, ${timings.prompt_tokens} prompt tokens (${timings.cached_tokens} cached), ` +
    `${timings.tokens} tokens${steps === undefined ? '' : ` in ${steps} steps, ${shown(whole)}`}\n`;
  const expected = (value: number | null | undefined): string =>
    predicted === null ? 'not predicted' : `predicted ${shown(value)} from ${predicted.from}`;
  const lines = [
    ['first token', shown(timings.ttft_ms), expected(predicted?.ttft_ms)],
    ['gap between tokens', shown(timings.itl_ms), expected(predicted?.itl_ms)],
    ...Object.entries(spent).map(([name, value]) => [
      WORDS[name] ?? name,
      shown(value),
      whole !== undefined && whole > 0 ? `${((100 * value) / whole).toFixed(0)} %` : '',
    ]),
  ];
  const again = (name: string, one: Instead | undefined): string[][] =>
    one === undefined ? [] : [[name, `first token ${shown(one.ttft_ms)}`, `whole ${shown(one.e2e_ms)}`]];
  const replays = [
    ...again('replayed', choice.replayed),
    ...again('alone', choice.alone),
    ...again('without those named', choice.without),
    ...neighbours.flatMap(({ request, without }) =>
      again(`without ${request === id ? 'another choice' : (request ?? 'a request')}`, without),
    ),
  ];
  const note = complete ? '' : 'Some of its steps are not remembered any more.\n';
  const table = (rows: readonly string[][]): string =>
    aligned(rows, [false, true, false])
      .map((line) => `  ${line}\n`)
      .join('');
  return `${head}${table(lines)}${replays.length > 0 ? table(replays) : ''}${note}`;
}
