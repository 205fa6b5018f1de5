import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CoreEngine } from '../../src/engine/engine.js';
import { loadReal } from './real.js';
import { pause, post, start } from './support.js';
import { VLLM_METRICS } from './vllm-metrics.js';

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const installed = [join(cache, 'ridgepoint', 'prometheus', 'usr', 'bin', 'prometheus'), '/usr/bin/prometheus'].find(
  (path) => existsSync(path),
);
if (installed === undefined) console.warn('no Prometheus reads the metrics here: .ci/install-prometheus brings one');

const doc = (name: string): string => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

interface Result {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(installed === undefined)('a real Prometheus', () => {
  let engine: CoreEngine;
  let folder: string;
  let prometheus: ChildProcess | undefined;
  beforeAll(async () => {
    engine = await loadReal();
    folder = mkdtempSync(join(tmpdir(), 'ridgepoint-prometheus-'));
  });
  afterAll(async () => {
    if (prometheus?.exitCode === null && prometheus.kill()) await once(prometheus, 'exit');
    rmSync(folder, { recursive: true, force: true });
    await engine.dispose();
  });

  it('answers every query of the dashboard, and reads all that vLLM’s does after the rule in docs', async () => {
    const { url } = await start(engine, { machine: { price: { seconds: () => 0.01 } } });
    const { host } = new URL(url);
    const port = await freePort();
    const rule = /```yaml\n(metric_relabel_configs:[^`]*)```/.exec(doc('serving.md'))![1].replace(/^(?=.)/gm, '    ');
    const job = (name: string): string => `  - job_name: ${name}\n    static_configs: [{ targets: ['${host}'] }]\n`;
    const config = join(folder, 'prometheus.yml');
    writeFileSync(
      config,
      `global: { scrape_interval: 500ms, scrape_timeout: 500ms }\nscrape_configs:\n${job('ridgepoint')}${job('vllm')}${rule}`,
    );
    const flags = [`--config.file=${config}`, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=error'];
    prometheus = spawn(installed!, [...flags, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const query = async (text: string): Promise<Result> => {
      const response = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(text)}`);
      return (await response.json()) as Result;
    };
    /** How often both jobs have read the metrics. */
    const reads = async (): Promise<number> => {
      const answer = await query('min(sum_over_time(up[1h]))').catch(() => undefined);
      return Number(answer?.data.result[0]?.value[1] ?? 0);
    };
    // A rate is seen between two reads, so requests come before the first and after it, until one has been read.
    let read = -1;
    for (let rounds = 0; rounds < 2;) {
      await post(`${url}/v1/completions`, { prompt: 'Once upon a time', max_tokens: 4 });
      await post(`${url}/v1/completions`, { prompt: 5 });
      const found = await reads();
      if (found >= read + 2) {
        read = found;
        rounds++;
      } else await pause(50);
    }
    for (const before = await reads(); (await reads()) < before + 2;) await pause(50);

    const expressions = [...doc('operating/grafana.json').matchAll(/"expr": ("(?:[^"\\]|\\.)*")/g)].map(
      ([, text]) => JSON.parse(text) as string,
    );
    expect(expressions.length).toBeGreaterThan(15);
    for (const expression of expressions) {
      const text = expression.replaceAll('$model', '.*').replaceAll('$__rate_interval', '1h');
      const { status, error, data } = await query(text);
      expect(status, `${text}: ${error}`).toBe('success');
      expect(data.result.length, text).toBeGreaterThan(0);
      for (const { value } of data.result) expect(Number.isFinite(Number(value[1])), `${text}: ${value[1]}`).toBe(true);
    }
    for (const name of VLLM_METRICS) {
      expect((await query(`vllm:${name}`)).data.result.length, name).toBeGreaterThan(0);
    }
  });
});
