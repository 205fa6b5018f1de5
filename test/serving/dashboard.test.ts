import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { InferenceServer } from '../../src/server/server.js';
import { loadReal } from './real.js';
import { VLLM_METRICS } from './vllm-metrics.js';

describe('the metrics', () => {
  let engine: CoreEngine;
  let known: Set<string>;
  beforeAll(async () => {
    engine = await loadReal();
    const { app } = await InferenceServer.create({ engine, machine: { price: { seconds: () => 0.01 } } });
    const payload = { prompt: 'Once upon a time', max_tokens: 4 };
    await app.inject({ method: 'POST', url: '/v1/completions', payload });
    const text = (await app.inject('/metrics')).body;
    await app.close();
    known = new Set([...text.matchAll(/^(ridgepoint_\w+)\{/gm)].map(([, name]) => name));
  });
  afterAll(() => engine.dispose());

  it('have all that the dashboard in docs reads', () => {
    const dashboard = readFileSync(new URL('../../docs/operating/grafana.json', import.meta.url), 'utf8');
    const read = new Set([...dashboard.matchAll(/ridgepoint_\w+/g)].map(([name]) => name));
    expect(read.size).toBeGreaterThan(15);
    expect([...read].filter((name) => !known.has(name))).toEqual([]);
  });

  it('stand in the table in docs, each by its name', () => {
    const docs = readFileSync(new URL('../../docs/serving.md', import.meta.url), 'utf8');
    const named = [...known].map((name) => name.replace(/^ridgepoint_/, '').replace(/_(bucket|sum|count)$/, ''));
    expect(named.length).toBeGreaterThan(30);
    expect(named.filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
  });

  it('have all that the dashboard of vLLM reads, but for the prefix', () => {
    expect(VLLM_METRICS.filter((name) => !known.has(`ridgepoint_${name}`))).toEqual([]);
  });
});
