import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build } from '../cli/support.js';
import { adapter } from '../engine/support.js';
import { complete, idsOf, killAll, launch, launchRouter, launchWorker, metric } from './processes.js';

const LONG = 'Once upon a time there was a little girl who had a red ball. '.repeat(14);

describe('real processes that are killed', () => {
  beforeAll(build);
  afterAll(killAll);

  it('a prefill worker before, amid and after a transfer: the answer is the same', async () => {
    const decode = await launchWorker(adapter, '--role', 'decode');
    const alone = await launchRouter([decode]);
    const prompts = ['A', 'B', 'C', 'D'].map((name) => `${name} story. ${LONG}`);
    const expected: (readonly number[])[] = [];
    for (const prompt of prompts) expected.push(await idsOf(await complete(alone, { prompt })));
    await alone.kill();
    await decode.kill();
    const fresh = await launchWorker(adapter, '--role', 'decode');
    for (const [at, waitMs] of [-1, 0, 40, 150].entries()) {
      const prefill = await launchWorker(adapter, '--role', 'prefill', '--prefill-chunk', '64');
      const router = await launchRouter([prefill, fresh], '--placement', 'least-loaded');
      if (waitMs < 0) await prefill.kill();
      const answer = complete(router, { prompt: prompts[at] });
      if (waitMs >= 0) {
        await new Promise((resolve) => setTimeout(resolve, waitMs));
        await prefill.kill();
      }
      expect(await idsOf(await answer)).toEqual(expected[at]);
      await expect.poll(() => metric(router, 'kv_cache_usage_perc'), { timeout: 600_000 }).toBe(0);
      await router.kill();
    }
    await fresh.kill();
  });

  it('a router: its workers free what they run for it, and answer the next router', async () => {
    const worker = await launchWorker(adapter);
    const first = await launchRouter([worker]);
    const before = await idsOf(await complete(first, { prompt: 'Once upon a time', max_tokens: 200 }));
    const streams = await Promise.all(
      [1, 2, 3].map((seed) =>
        complete(first, { prompt: 'A long', seed, max_tokens: 450, temperature: 1, stream: true }),
      ),
    );
    await first.kill();
    for (const stream of streams) await expect(stream.text()).rejects.toThrow();
    const second = await launchRouter([worker]);
    expect(await idsOf(await complete(second, { prompt: 'Once upon a time', max_tokens: 200 }))).toEqual(before);
    await expect.poll(() => metric(second, 'kv_cache_usage_perc'), { timeout: 600_000 }).toBe(0);
    expect(await metric(second, 'num_requests_running')).toBe(0);
    await second.kill();
    await worker.kill();
  });

  it('a worker of a cluster is started anew, and Ctrl-C ends all', async () => {
    const cluster = await launch(
      [
        ...['cluster', '--worker', `prefill@${adapter}`, '--worker', `decode@${adapter}`, '--nats', 'none'],
        ...['--port', '0', '--context-length', '512', '--placement', 'least-loaded'],
      ],
      /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/,
    );
    const health = async (): Promise<number> => (await fetch(`http://127.0.0.1:${cluster.port}/health`)).status;
    const prompt = `A story. ${LONG}`;
    const expected = await idsOf(await complete(cluster, { prompt }));
    expect(await health()).toBe(200);
    await expect.poll(() => cluster.output()).toMatch(/"prefill_worker":"127.*"decode_worker":"127.*"kv_bytes":[1-9]/);
    const pid = Number(/worker 2 is process (\d+)/.exec(cluster.output())![1]);
    const answer = complete(cluster, { prompt, max_tokens: 200 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    process.kill(pid, 'SIGKILL');
    expect((await idsOf(await answer)).slice(0, expected.length)).toEqual(expected);
    expect(cluster.output()).toContain('worker 2 has ended (SIGKILL); it is started anew');
    expect(await health()).toBe(200);
    cluster.child.kill('SIGINT');
    await expect.poll(() => cluster.child.exitCode, { timeout: 600_000 }).toBe(0);
    await expect(health()).rejects.toThrow();
  });
});
