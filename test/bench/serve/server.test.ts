import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenAiServer, type OpenAiServerOptions } from '../../../bench/serve/drivers/openai-driver.js';
import { wallClock } from '../../../bench/serve/load/clock.js';
import { runLoad } from '../../../bench/serve/load/run-load.js';
import type { PlannedRequest } from '../../../src/traffic/workload.js';
import type { CoreEngine } from '../../../src/engine/engine.js';
import { loadReal } from '../../serving/real.js';
import { start, until } from '../../serving/support.js';
import { adapters } from '../../support/adapters.js';

describe.each(adapters)('load on our own server, with the embedded model on %s', (adapter) => {
  let engine: CoreEngine;
  beforeAll(async () => void (engine = await loadReal(adapter)));
  afterAll(() => engine.dispose());

  const load = async (url: string, options: Partial<OpenAiServerOptions>, request: Partial<PlannedRequest> = {}) => {
    const usual = { baseUrl: url, endpoint: 'completions', temperature: 1, ignoreEos: true } as const;
    const server = await OpenAiServer.open({ ...usual, ...options });
    const lengths = { atMs: 0, promptTokens: 40, outputTokens: 12 };
    const requests = Array.from({ length: 8 }, (_, index) => ({ index, ...lengths, ...request }));
    const workload = { seed: 5, sharedPrefix: 0, requests };
    try {
      const { requests: records } = await runLoad(workload, server.driver(workload), { clock: wallClock });
      return { server, records };
    } finally {
      server.close();
    }
  };

  test('prompts of ids have their exact length, and each token is seen when it comes', async () => {
    const { url } = await start(engine, { apiKeys: ['key'] });
    const { server, records } = await load(url, {
      vocab: engine.config.vocab,
      apiKey: 'key',
      extraBody: { return_token_ids: true },
    });
    expect(server).toMatchObject({ model: 'tiny-tales', contextLength: 512 });
    for (const { status, promptTokens, outputTokens, counts, finish, arrivalsMs } of records) {
      expect({ status, promptTokens, outputTokens, finish }).toEqual({
        ...{ status: 'completed', promptTokens: 40, outputTokens: 12, finish: 'length' },
      });
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(12);
      expect(arrivalsMs.at(-1)!).toBeGreaterThan(arrivalsMs[0]);
    }
    await expect(load(url, { apiKey: 'wrong' })).rejects.toThrow(/--base-url .*API key/);
  });

  test('prompts of words come out about as long as planned, by the count of the server', async () => {
    const { url } = await start(engine);
    const { server, records } = await load(url, { endpoint: 'chat' });
    expect(server.note).toBeUndefined();
    for (const { status, promptTokens, outputTokens } of records) {
      expect({ status, outputTokens }).toEqual({ status: 'completed', outputTokens: 12 });
      expect(Math.abs(promptTokens - 40)).toBeLessThan(12);
    }
  });

  test('a client that gives up ends its generation in the engine', async () => {
    const { url } = await start(engine);
    const { records } = await load(url, {}, { outputTokens: 400, abort: { afterTokens: 5 } });
    expect(new Set(records.map(({ status }) => status))).toEqual(new Set(['aborted']));
    await until(() => engine.stats().running + engine.stats().waiting === 0);
    expect(engine.stats().kvBlocksFree).toBe(engine.stats().kvBlocks);
  });

  test('a request that the server refuses is a failure with its words', async () => {
    const { url } = await start(engine);
    const { records } = await load(url, {}, { outputTokens: 600 });
    expect(records[0]).toMatchObject({ status: 'failed', error: expect.stringMatching(/HTTP 400: .*512/) as string });
  });
});
