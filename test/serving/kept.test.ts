import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { compileGrammar } from '../../src/grammar/index.js';
import { createFetch } from '../../src/serving/fetch.js';
import type { KeptRequest, KeptRequests } from '../../src/serving/kept-requests.js';
import { ResponsesStore } from '../../src/serving/responses-store.js';
import { FakeEngine } from './fake-engine.js';
import { events, post, start } from './support.js';

interface Kept {
  readonly request: KeptRequest;
  readonly ids: number[][];
  answer?: { readonly status: number; readonly body: unknown };
}

/** What would be kept elsewhere, in memory. */
class Memory implements KeptRequests {
  readonly all = new Map<string, Kept>();
  readonly ended: string[] = [];
  /** Why nothing can be kept. */
  fault: Error | undefined;

  accept(id: string, request: KeptRequest): Promise<boolean> {
    if (this.fault !== undefined) return Promise.reject(this.fault);
    const isNew = !this.all.has(id);
    if (isNew) this.all.set(id, { request: structuredClone(request), ids: [] });
    return Promise.resolve(isNew);
  }

  got(id: string, choice: number, ids: readonly number[]): void {
    (this.all.get(id)!.ids[choice] ??= []).push(...ids);
  }

  done(id: string): Promise<void> {
    this.ended.push(id);
    return Promise.resolve();
  }

  find(id: string): Promise<{ readonly answer: Kept['answer'] } | undefined> {
    const kept = this.all.get(id);
    return Promise.resolve(kept && { answer: kept.answer });
  }
}

const ask = { prompt: 'ab', max_tokens: 4 };

describe('requests that are kept', () => {
  it('are kept whole and with a seed before they are answered, and done with when their client has the answer', async () => {
    const kept = new Memory();
    const { url } = await start(new FakeEngine(), { kept });
    const first = await post(`${url}/v1/completions`, ask, { 'x-request-id': 'one' });
    expect(first.status).toBe(200);
    const stream = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-request-id': 'two' },
      body: JSON.stringify({
        ...{ messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, seed: 7 },
        ...{ stream: true, stream_options: { include_usage: true } },
      }),
    });
    expect((await events(stream)).at(-1)).toBe('[DONE]');
    await expect.poll(() => kept.ended).toEqual(['one', 'two']);
    expect(kept.all.get('one')!.request).toEqual({
      path: '/v1/completions',
      answerId: expect.any(String) as string,
      created: expect.any(Number) as number,
      body: { ...ask, seed: expect.any(Number) as number },
    });
    expect(kept.all.get('two')!.request.body).toEqual({
      ...{ messages: [{ role: 'user', content: 'hi' }], max_tokens: 4, seed: 7 },
    });
    expect((await post(`${url}/tokenize`, { prompt: 'ab' })).status).toBe(200);
    expect(kept.all.size, 'what generates nothing is not kept').toBe(2);
  });

  it('are refused where they cannot be kept, and where one of their id is there', async () => {
    const kept = new Memory();
    const { url } = await start(new FakeEngine(), { kept });
    const asking = (): ReturnType<typeof post> => post(`${url}/v1/completions`, ask, { 'x-request-id': 'same' });
    expect((await asking()).status).toBe(200);
    const again = await asking();
    expect([again.status, again.body.error.message]).toEqual([
      409,
      'a request of this x-request-id is there already; ask GET /v1/requests/same for it',
    ]);
    const { size } = kept.all;
    const refused = async (fault: Error): Promise<unknown[]> => {
      kept.fault = fault;
      const { status, headers, body } = await post(`${url}/v1/completions`, ask);
      return [status, headers.get('retry-after'), body.error];
    };
    const away = (why: string): unknown[] => {
      const message = `the request cannot be kept, as --durable promises: ${why}`;
      return [503, '1', expect.objectContaining({ code: 'not_durable', message }) as object];
    };
    expect(await refused(new Error('away'))).toEqual(away('the NATS server cannot be reached'));
    expect(await refused(new RidgepointError('network', 'it has no room'))).toEqual(away('it has no room'));
    // Asking again would be of no use.
    const large = { code: 'request_too_large', message: 'it is too large' };
    const usage = new RidgepointError('usage', large.message);
    expect(await refused(usage)).toEqual([413, null, expect.objectContaining(large)]);
    expect(kept.all.size).toBe(size);
  });

  it('tell what became of them', async () => {
    const kept = new Memory();
    const { url } = await start(new FakeEngine(), { kept });
    const { body } = await post(`${url}/v1/completions`, ask, { 'x-request-id': 'one' });
    const at = async (id: string): Promise<unknown> => (await fetch(`${url}/v1/requests/${id}`)).json();
    expect(await at('one')).toEqual({ id: 'one', object: 'request', status: 'in_progress' });
    kept.all.get('one')!.answer = { status: 200, body };
    expect(await at('one')).toEqual({
      ...{ id: 'one', object: 'request', status: 'completed' },
      response: { status_code: 200, body },
    });
    expect(await at('other')).toMatchObject({ error: { code: 'request_not_found' } });
  });

  const said = { messages: [{ role: 'user', content: 'hi' }], max_tokens: 30 };
  const tool = { name: 'look', description: 'looks', parameters: { type: 'object', properties: {} } };
  it.each([
    ['/v1/completions', { prompt: ['ab', 'cd'], n: 2, max_tokens: 6 }],
    ['/v1/completions', { prompt: 'ab', max_tokens: 6, logprobs: 1 }],
    ['/v1/chat/completions', said],
    ['/v1/chat/completions', { ...said, tools: [{ type: 'function', function: tool }], tool_choice: 'required' }],
    ['/v1/responses', { input: 'hi', max_output_tokens: 6 }],
    ['/v1/responses', { input: 'hi', tools: [{ type: 'function', ...tool }], tool_choice: 'required' }],
    ['/v1/messages', said],
  ])(
    'of %s are answered elsewhere as they would have been here, from the ids that are there: %j',
    async (path, body) => {
      const kept = new Memory();
      const options = { kept, compileGrammar, toolFormat: 'hermes' as const };
      const { url } = await start(new FakeEngine(), options);
      const here = await post(url + path, body, { 'x-request-id': 'one' });
      expect(here.status, JSON.stringify(here.body)).toBe(200);
      const { request, ids } = kept.all.get('one')!;
      expect(request.path).toBe(path);
      // As far as it had come when its router went.
      const left = ids.map((all) => all.slice(0, all.length >> 1));
      const engine = new FakeEngine();
      const elsewhere = createFetch({ engine, ...options });
      const got: number[][] = left.map((some) => [...some]);
      const response = await elsewhere(requestOf(request), {
        ...request,
        resume: (choice) => left[choice] ?? [],
        got: (choice, more) => void got[choice].push(...more),
      });
      expect(await response.json()).toEqual(here.body);
      expect(got, 'what others would go on from').toEqual(ids);
      // What was told of the first tokens is nowhere any more.
      const hasLogprobs = 'logprobs' in body;
      expect(engine.calls.map(({ options: { resume } }) => resume)).toEqual(hasLogprobs ? [undefined] : left);
    },
  );

  it('take along the conversation that they go on from', async () => {
    const kept = new Memory();
    const { url } = await start(new FakeEngine({ reply: (prompt) => `[${prompt.trim()}]` }), { kept });
    const first = await post(`${url}/v1/responses`, { input: 'hi' });
    const { id } = first.body as unknown as { readonly id: string };
    const next = { input: 'and', previous_response_id: id };
    const here = await post(`${url}/v1/responses`, next, { 'x-request-id': 'next' });
    expect(JSON.stringify(here.body)).toContain('[user: hi');
    const responses = new ResponsesStore();
    const engine = new FakeEngine({ reply: (prompt) => `[${prompt.trim()}]` });
    const { request } = kept.all.get('next')!;
    const nothing = { resume: () => [], got: () => undefined };
    const response = await createFetch({ engine, responses })(requestOf(request), { ...request, ...nothing });
    const body = (await response.json()) as { readonly id: string };
    expect(body).toEqual(here.body);
    expect(responses.get(body.id)?.messages.length, 'others go on from it there').toBe(4);
  });
});

/** As a router asks itself. */
function requestOf({ path, body }: KeptRequest): Request {
  const headers = { 'content-type': 'application/json', 'x-request-id': 'one' };
  return new Request(`http://router${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
}
