import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../cli/support.js';
import { adapter, writeFolder } from '../engine/support.js';
import { hasNats, TestNats } from '../support/nats.js';
import { killAll, launch, launchWorker, metric, type Running } from './processes.js';

interface Completion {
  readonly choices: readonly { readonly token_ids: readonly number[] }[];
}

/** What the endpoints call what was made. */
type Answer = Partial<Record<'choices' | 'output' | 'content', readonly Record<string, unknown>[]>>;

const nameOf = (path: string): string => `left-${path.replace('/', '-')}`;

/** What of an answer follows from its tokens. */
function madeOf({ choices, output, content }: Answer): object {
  if (choices !== undefined) return { choices: choices.map(({ token_ids }) => ({ token_ids })) };
  return content === undefined ? { output: output!.map((item) => ({ content: item.content })) } : { content };
}

describe.skipIf(!hasNats)('routers that keep their requests', () => {
  let nats: TestNats;
  beforeAll(async () => {
    await build();
    nats = await TestNats.start();
  });
  afterAll(async () => {
    await killAll();
    await nats.end();
  });

  it('have what a killed one leaves answered by another, with the same ids', async () => {
    const worker = await launchWorker(adapter, '--cluster', nats.url);
    const text = '{% for message in messages %}{{ message.content }}{% endfor %}';
    const template = join(writeFolder({ 'template.jinja': text }), 'template.jinja');
    const route = (): Promise<Running> =>
      launch(
        ['router', '--cluster', nats.url, '--durable', '--port', '0', '--chat-template', template],
        /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/,
      );
    const [first, second] = await Promise.all([route(), route()]);
    const [messages, count] = [[{ role: 'user', content: 'Once upon a time' }], 120] as const;
    const asked = { seed: 3, temperature: 1, ignore_eos: true };
    const bodies: Readonly<Record<string, object>> = {
      completions: { prompt: 'Once upon a time', max_tokens: count, return_token_ids: true },
      'chat/completions': { messages, max_tokens: count, return_token_ids: true },
      responses: { input: 'Once upon a time', max_output_tokens: count },
      messages: { messages, max_tokens: count },
    };
    const ask = (router: Running, path: string, more: object, id: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${router.port}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify({ ...bodies[path], ...asked, ...more }),
      });
    const became = async (path: string, router = second, id = nameOf(path)): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${router.port}/v1/requests/${id}`);
      return response.json();
    };
    const expected: Record<string, object> = {};
    for (const path of Object.keys(bodies)) {
      expected[path] = madeOf((await (await ask(second, path, {}, `before-${nameOf(path)}`)).json()) as Answer);
    }
    const named = await Promise.all(
      Object.keys(bodies).map(async (path) => {
        const stream = await ask(first, path, { stream: true }, nameOf(path));
        const { value } = await stream.body!.getReader().read();
        return [path, /"id":"(\w+[_-][^"]+)"/.exec(new TextDecoder().decode(value))![1]] as const;
      }),
    );
    await first.kill();
    const left = await Promise.all(named.map(([path]) => became(path)));
    expect(left).toMatchObject(named.map(([path]) => ({ id: nameOf(path), status: 'in_progress' })));
    for (const [path, id] of named) {
      await expect
        .poll(() => became(path), { timeout: 600_000 })
        .toMatchObject({ status: 'completed', response: { status_code: 200, body: { id, ...expected[path] } } });
    }
    // One that is told to end leaves the ids that its clients have seen.
    const third = await route();
    const long = { max_tokens: 400, n: 4 };
    const whole = (await (await ask(third, 'completions', long, 'whole')).json()) as Completion;
    const stream = await ask(second, 'completions', { ...long, stream: true }, 'leaving');
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = (await reader.read()).value!;
    // The second signal ends what the first one lets finish.
    second.child.kill('SIGTERM');
    await expect.poll(() => second.output()).toContain('Finishing what runs');
    await new Promise((resolve) => setTimeout(resolve, 50)); // so soon it would be taken for the same
    second.child.kill('SIGINT');
    for (let more = await reader.read(); !more.done; more = await reader.read()) seen += more.value;
    const told = [...seen.matchAll(/"token_ids":\[([\d,]+)\]/g)].flatMap(([, ids]) => ids.split(','));
    await expect
      .poll(async () => (await became('completions', third, 'leaving')) as object, { timeout: 600_000 })
      .toMatchObject({ response: { status_code: 200, body: madeOf(whole) } });
    expect([told.length > 0, told.length < 1600]).toEqual([true, true]);
    expect(await metric(third, 'tokens_taken_over_total')).toBeGreaterThanOrEqual(told.length);
    await third.kill();
    await worker.kill();
  });
});

describe.skipIf(!hasNats)('a cluster with a NATS server of its own', () => {
  beforeAll(build);
  afterAll(killAll);

  it('answers while the server is killed, and finds what was started anew meanwhile', async () => {
    const cluster = await launch(
      [
        ...['cluster', '--worker', `both@${adapter}`, '--worker', `both@${adapter}`],
        ...['--port', '0', '--context-length', '512', '--placement', 'round-robin'],
      ],
      /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/,
    );
    const complete = async (max_tokens: number): Promise<readonly number[]> => {
      const response = await fetch(`http://127.0.0.1:${cluster.port}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...{ prompt: 'Once upon a time', temperature: 0, ignore_eos: true, return_token_ids: true, max_tokens },
        }),
      });
      return ((await response.json()) as Completion).choices[0].token_ids;
    };
    const pidOf = (name: string): number =>
      Number([...cluster.output().matchAll(new RegExp(`${name} is process (\\d+)`, 'g'))].at(-1)![1]);
    const expected = await complete(120);
    await expect.poll(() => cluster.output().match(/ has come: /g)?.length).toBe(2);
    const running = complete(120);
    process.kill(pidOf('nats-server'), 'SIGKILL');
    expect(await running).toEqual(expected);
    process.kill(pidOf('worker 1'), 'SIGKILL');
    expect(await complete(120)).toEqual(expected);
    await expect.poll(() => cluster.output()).toContain('nats-server has ended (SIGKILL); it is started anew');
    await expect.poll(() => cluster.output().match(/ has come: /g)?.length).toBe(3);
    expect(await complete(120)).toEqual(expected);
    const server = pidOf('nats-server');
    cluster.child.kill('SIGINT');
    await expect.poll(() => cluster.child.exitCode, { timeout: 600_000 }).toBe(0);
    expect(() => process.kill(server, 0), 'the server ends with its cluster').toThrow('ESRCH');
  });
});
