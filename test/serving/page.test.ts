import { Script } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.js';
import { post, start } from './support.js';

const basic = (key: string): string => `Basic ${Buffer.from(`anybody:${key}`).toString('base64')}`;
const body = { prompt: 'x', max_tokens: 2 };

describe('the page', () => {
  it('comes whole from the server, and only where it is wanted', async () => {
    const { url } = await start(new FakeEngine(), { page: true });
    const response = await fetch(`${url}/`);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const html = await response.text();
    const links = [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => link);
    expect(links).toEqual(['/ui/page.css', '/ui/page.js']);
    for (const link of links) expect((await fetch(`${url}${link}`)).status).toBe(200);
    // What is sent as a script is one: it runs in the browser by itself.
    const script = await (await fetch(`${url}/ui/page.js`)).text();
    expect(() => new Script(script)).not.toThrow();
    const { url: without } = await start(new FakeEngine());
    expect((await fetch(`${without}/`)).status).toBe(404);
  });

  it('is behind the key, which a browser asks its user for', async () => {
    const { url } = await start(new FakeEngine(), { page: true, apiKeys: ['secret'] });
    const refused = await fetch(`${url}/`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toMatch(/^Basic realm="Ridgepoint"/);
    expect((await fetch(`${url}/v1/status`)).headers.get('www-authenticate')).toBe('Bearer');
    for (const path of ['/', '/ui/page.js', '/v1/status']) {
      expect((await fetch(`${url}${path}`, { headers: { authorization: basic('secret') } })).status).toBe(200);
      expect((await fetch(`${url}${path}`, { headers: { authorization: basic('wrong') } })).status).toBe(401);
    }
  });

  it('reads what the server does from one place', async () => {
    const { url } = await start(new FakeEngine());
    const status: unknown = await (await fetch(`${url}/v1/status`)).json();
    expect(status).toMatchObject({ model: 'fake/bytes', running: 0, waiting: 0, kv_blocks: 100, kv_blocks_free: 100 });
  });
});

describe('a server', () => {
  it('takes any name for its model where it is told to, and lists its own', async () => {
    const { url } = await start(new FakeEngine(), { modelNames: ['*'] });
    const { status, body: answer } = await post(`${url}/v1/completions`, { ...body, model: 'gpt-4o' });
    expect(status).toBe(200);
    expect(answer.model).toBe('gpt-4o');
    const list = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] };
    expect(list.data.map(({ id }) => id)).toEqual(['fake/bytes']);
  });

  it('keeps the trace of a request, where it is one', async () => {
    const { url } = await start(new FakeEngine());
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const ask = async (given: string): Promise<string | null> =>
      (await post(`${url}/v1/completions`, body, { traceparent: given })).headers.get('traceparent');
    expect(await ask(traceparent)).toBe(traceparent);
    expect(await ask('not a trace')).toBeNull();
  });
});
