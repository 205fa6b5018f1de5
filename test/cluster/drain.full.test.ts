import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { build, cli, type CliResult } from '../cli/support.js';
import { adapter } from '../engine/support.js';
import { hasNats, TestNats } from '../support/nats.js';
import { complete, idsOf, killAll, launch, launchWorker, metric } from './processes.js';

const file = (name: string): string => join(import.meta.dirname, 'certificates', `${name}.pem`);

describe.skipIf(!hasNats)('ridgepoint drain, by a NATS server at tls://', () => {
  let nats: TestNats;
  beforeAll(async () => {
    await build();
    nats = await TestNats.start({ cert: file('worker'), key: file('worker-key') });
  });
  afterAll(async () => {
    await killAll();
    await nats.end();
  });

  it('has a worker finish what it runs, end with code 0, and get nothing new meanwhile', async () => {
    const control = ['--cluster', nats.url, '--nats-tls-ca', file('ca')];
    const drain = (...args: string[]): Promise<CliResult> => cli(['drain', ...args, ...control]);
    const [first, router] = await Promise.all([
      launchWorker(adapter, ...control),
      launch(['router', ...control, '--port', '0'], /served at http:\/\/127\.0\.0\.1:(\d+)\/v1/),
    ]);
    const long = { prompt: 'Once upon a time', max_tokens: 400 };
    const expected = await idsOf(await complete(router, long));
    const running = complete(router, long).then(idsOf);
    await expect.poll(() => metric(router, 'attempts_total')).toBe(2);
    const told = drain(`127.0.0.1:${first.port}`);
    const second = await launchWorker(adapter, ...control);
    await expect.poll(() => first.child.exitCode, { timeout: 600_000 }).toBe(0);
    expect(first.output()).toContain('Told to drain: nothing new is taken, and this worker ends with what it has.');
    expect(await running, 'what it ran is whole').toEqual(expected);
    expect(await told).toMatchObject({ code: 0, stdout: '' });
    const { stderr } = await told;
    expect(stderr.trim().split('\n')).toEqual([
      `127.0.0.1:${first.port} takes nothing new and finishes what it has`,
      `127.0.0.1:${first.port} has gone`,
    ]);
    expect(await metric(router, 'attempts_lost_total'), 'nothing was tried anew').toBeNaN();
    expect(await idsOf(await complete(router, { prompt: 'The dog said' }))).toHaveLength(24);
    const [gone, nowhere, unasked] = await Promise.all([
      drain(`127.0.0.1:${first.port}`),
      cli(['drain', 'x:1', '--cluster', `nats://127.0.0.1:${first.port}`]),
      cli(['drain', 'x:1']),
    ]);
    expect([gone.code, gone.stderr]).toEqual([
      1,
      `ridgepoint: nothing is heard of 127.0.0.1:${first.port}, and nobody is told to end; ` +
        `those that tell of themselves are 127.0.0.1:${second.port}\n`,
    ]);
    expect([nowhere.code, nowhere.stderr]).toEqual([
      1,
      'ridgepoint: the NATS server does not answer; is it there? check --cluster\n',
    ]);
    expect([unasked.code, unasked.stderr]).toEqual([
      2,
      'ridgepoint: workers are told by a NATS server; give --cluster\n',
    ]);
  });
});
