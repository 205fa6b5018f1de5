import type { ServingContext } from '../context.js';
import type { Routes } from '../http/exchange.js';
import type { AnswerInHand } from '../kept-requests.js';
import type { Lifetime } from '../http/lifetime.js';
import { Turns } from '../http/turns.js';
import { AnswerIds } from '../mapping/answer-ids.js';
import { CompletionFormat, type ShownPrompt } from '../mapping/completion-format.js';
import { choiceSeed, generateOptions } from '../mapping/generate-options.js';
import { formOf } from '../mapping/form.js';
import { tokenRules } from '../mapping/token-rules.js';
import { answerHead, createdAt } from '../mapping/head.js';
import { completionRequest, type CompletionRequest } from '../schema/completion.js';
import { parseRequest } from '../schema/parse.js';
import { scorePrompt } from '../scoring.js';
import { generate, type GenerationJob } from './generate.js';

export function completionRoute(routes: Routes, context: ServingContext): void {
  routes.post('/v1/completions', async (exchange) => {
    const body = parseRequest('completion', completionRequest, exchange.body, exchange);
    const model = context.models.resolve(body.model);
    const count = body.prompt.length * body.n;
    const prepare = (lifetime: Lifetime): Promise<GenerationJob> =>
      completionJob(context, body, lifetime, { model, kept: exchange.kept });
    return generate(context, exchange, { body, count, prepare });
  });
}

async function completionJob(
  context: ServingContext,
  body: CompletionRequest,
  lifetime: Lifetime,
  { model, kept }: { readonly model: string; readonly kept?: AnswerInHand },
): Promise<GenerationJob> {
  const { engine, grammars } = context;
  const form = formOf(body);
  const constraint = grammars.constraint(form?.grammar, form?.param ?? 'response_format');
  const rules = await tokenRules(body, engine);
  const options = { ...generateOptions(body, engine), logprobs: body.logprobs };
  const shown = await readPrompts(context, body, lifetime);
  // Choices of the first prompt come first, as in OpenAI's API.
  const prompts = shown.flatMap((prompt) => Array<ShownPrompt>(body.n).fill(prompt));
  const choices = prompts.map(({ ids }, index) => ({
    promptIds: ids,
    options: { ...options, seed: choiceSeed(body.seed, index), constraint: rules(constraint?.()) },
  }));
  const named = { id: `cmpl-${new AnswerIds(kept).uuid}`, created: createdAt(kept) };
  const format = new CompletionFormat(answerHead(named, model, engine.info), engine, {
    includeUsage: body.stream_options?.include_usage === true,
    tokenIds: body.return_token_ids === true,
    prompts,
  });
  return { choices, format };
}

/** One after the other, so that nobody has to wait for all of a long list. */
async function readPrompts(
  { engine, prompts }: ServingContext,
  body: CompletionRequest,
  lifetime: Lifetime,
): Promise<ShownPrompt[]> {
  const turns = new Turns();
  const read: ShownPrompt[] = [];
  for (const prompt of body.prompt) {
    const all = typeof prompt === 'string' ? await prompts.text(prompt, 'prompt', body.add_special_tokens) : prompt;
    const ids = prompts.cut(all, body.truncate_prompt_tokens, body.max_tokens);
    prompts.assertFits(ids, body.max_tokens, 'prompt');
    await turns.pause();
    const isWhole = typeof prompt === 'string' && ids.length === all.length;
    const echo = !body.echo ? undefined : isWhole ? prompt : engine.detokenize(ids);
    read.push({ ids, echo });
    await turns.pause();
    lifetime.throwIfEnded();
  }
  const { echo, logprobs, prompt_logprobs: scores } = body;
  if (scores === undefined && (!echo || logprobs === undefined)) return read;
  return Promise.all(
    read.map(async (prompt) => {
      const scored = await scorePrompt(engine, prompt.ids, Math.max(scores ?? 0, logprobs ?? 0), lifetime);
      const first = (count: number) => scored.map(({ token, top }) => ({ token, top: top.slice(0, count) }));
      return {
        ...prompt,
        ...(echo && logprobs !== undefined ? { logprobs: first(logprobs) } : {}),
        ...(scores === undefined ? {} : { scored: first(scores) }),
      };
    }),
  );
}
