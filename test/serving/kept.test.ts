import { describe, expect, it } from 'vitest';
import { createFetch } from '../../src/serving/fetch.js';
import { FakeEngine } from './fake-engine.js';
import { events, post, start } from './support.js';

interface Kept {
  readonly request: { readonly path: string; readonly body: { readonly seed?: number; readonly stream?: boolean } };
  answer?: { readonly status: number; readonly body: unknown };
}

/** What would be kept elsewhere, in memory. */
class Memory {
  readonly all = new Map<string, Kept>();
  readonly ended: string[] = [];
  isAway = false;

  accept(id: string, request: { readonly path: string; readonly body: object }): Promise<boolean> {
    if (this.isAway) return Promise.reject(new Error('away'));
    const isNew = !this.all.has(id);
    if (isNew) this.all.set(id, { request: structuredClone(request) });
    return Promise.resolve(isNew);
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
    kept.isAway = true;
    const away = await post(`${url}/v1/completions`, ask);
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1']);
    expect(away.body.error.message).toContain('cannot be kept');
  });

  it('tell what became of them, and are answered elsewhere as they would have been here', async () => {
    const kept = new Memory();
    const engine = new FakeEngine();
    const { url } = await start(engine, { kept });
    const here = await post(`${url}/v1/completions`, ask, { 'x-request-id': 'one' });
    const at = async (id: string): Promise<unknown> => (await fetch(`${url}/v1/requests/${id}`)).json();
    expect(await at('one')).toEqual({ id: 'one', object: 'request', status: 'in_progress' });
    const { request } = kept.all.get('one')!;
    const elsewhere = createFetch({ engine });
    const response = await elsewhere(
      new Request(`http://router${request.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': 'one' },
        body: JSON.stringify(request.body),
      }),
    );
    const body = (await response.json()) as typeof here.body;
    expect(body.choices).toEqual(here.body.choices);
    kept.all.get('one')!.answer = { status: 200, body };
    expect(await at('one')).toEqual({
      ...{ id: 'one', object: 'request', status: 'completed' },
      response: { status_code: 200, body },
    });
    expect(await at('other')).toMatchObject({ error: { code: 'request_not_found' } });
  });
});
