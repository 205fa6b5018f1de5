import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../cli/support.js';
import { adapter } from '../engine/support.js';
import { hasNats, TestNats } from '../support/nats.js';
import { killAll, launch, launchWorker, type Running } from './processes.js';

interface Completion {
  readonly choices: readonly { readonly token_ids: readonly number[] }[];
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
    const route = (): Promise<Running> =>
      launch(
        ['router', '--cluster', nats.url, '--durable', '--port', '0'],
        /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/,
      );
    const [first, second] = await Promise.all([route(), route()]);
    const body = { prompt: 'Once upon a time', seed: 3, temperature: 1, ignore_eos: true, max_tokens: 200 };
    const ask = (router: Running, more: object, id: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${router.port}/v1/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-request-id': id },
        body: JSON.stringify({ ...body, return_token_ids: true, ...more }),
      });
    const expected = ((await (await ask(second, {}, 'before')).json()) as Completion).choices[0].token_ids;
    const stream = await ask(first, { stream: true }, 'left');
    await stream.body!.getReader().read();
    await first.kill();
    const became = async (): Promise<unknown> => {
      const response = await fetch(`http://127.0.0.1:${second.port}/v1/requests/left`);
      return response.json();
    };
    expect(await became()).toMatchObject({ id: 'left', status: 'in_progress' });
    await expect.poll(became, { timeout: 600_000 }).toMatchObject({
      status: 'completed',
      response: { status_code: 200, body: { choices: [{ token_ids: expected }] } },
    });
    await second.kill();
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
