import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { loadReal } from './real.js';
import { start } from './support.js';
import { VLLM_METRICS } from './vllm-metrics.js';

describe('the metrics', () => {
  let engine: CoreEngine;
  let known: Set<string>;
  beforeAll(async () => {
    engine = await loadReal();
    const { server, url } = await start(engine, { machine: { price: { seconds: () => 0.01 } } });
    const body = JSON.stringify({ prompt: 'Once upon a time', max_tokens: 4 });
    await fetch(`${url}/v1/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const text = (await server.app.inject('/metrics')).body;
    known = new Set([...text.matchAll(/^(ridgepoint_\w+)\{/gm)].map(([, name]) => name));
  });
  afterAll(() => engine.dispose());

  it('have all that the dashboard in docs reads', () => {
    const dashboard = readFileSync(new URL('../../docs/operating/grafana.json', import.meta.url), 'utf8');
    const read = new Set([...dashboard.matchAll(/ridgepoint_\w+/g)].map(([name]) => name));
    expect(read.size).toBeGreaterThan(15);
    expect([...read].filter((name) => !known.has(name))).toEqual([]);
  });

  it('have all that the dashboard of vLLM reads, but for the prefix', () => {
    expect(VLLM_METRICS.filter((name) => !known.has(`ridgepoint_${name}`))).toEqual([]);
  });
});
