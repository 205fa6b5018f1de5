import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFull } from '../../support/scale.js';
import { serveSchema } from '../../../bench/serve/schema.js';
import { build, cli, Scratch, type CliResult } from '../../cli/support.js';
import { adapters } from '../../support/adapters.js';

const scratch = new Scratch();
const adapter = adapters[0];
const SMALL = ['bench', 'serve', '--adapter', adapter, '--input-len', '4-12', '--output-len', '3-5'];

beforeAll(build);
afterAll(() => scratch.remove());

const resultIn = (path: string) => serveSchema.parse(JSON.parse(readFileSync(path, 'utf8')));

describe(`on ${adapter}`, () => {
  test('requests are served, counted, written and drawn', async () => {
    const [output, svg] = [join(scratch.path, 'serve.json'), join(scratch.path, 'serve.svg')];
    const files = ['--output', output, '--svg', svg];
    const run = await cli([
      ...SMALL,
      '--num-prompts',
      '12',
      '--request-rate',
      '40',
      '--goodput',
      'ttft:60000',
      ...files,
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toContain('Successful requests:                     12');
    expect(run.stdout).toMatch(/Request goodput \(req\/s\): +\d/);
    const result = resultIn(output);
    expect(result).toMatchObject({ complete: true, backend: 'ridgepoint', options: { request_rate: 40, seed: 0 } });
    expect(result.context?.model).toBe('tiny-tales');
    for (const { arrivals_ms: arrivals, output_len: length } of result.runs[0].requests) {
      expect(arrivals).toHaveLength(length);
    }
    expect(existsSync(svg)).toBe(true);
  });

  test.runIf(isFull)('stress: nothing is lost, and aborts are aborts', async () => {
    const args = ['--stress', '--num-prompts', '300', '--abort-share', '0.3', '--format', 'json'];
    const run = await cli([...SMALL, ...args]);
    const result = serveSchema.parse(JSON.parse(run.stdout));
    expect(result.policies[0].figures.aborted).toBeGreaterThan(0);
    const checks = result.checks!.filter(({ name }) => name !== 'memory flat'); // too few to warm up
    expect(checks.length).toBeGreaterThanOrEqual(3);
    for (const { name, passed, found } of checks) expect(passed, `${name}: ${found}`).toBe(true);
  });

  test.runIf(isFull)('Ctrl-C prints what there is', async () => {
    const output = join(scratch.path, 'stopped.json');
    let run!: CliResult;
    const load = ['--arrival', 'constant', '--request-rate', '5', '--num-prompts', '500', '--output', output];
    // A busy machine may need longer until the model is there.
    for (let after = 8000; !existsSync(output); after *= 3) {
      const onStart = (child: { kill: (signal: 'SIGINT') => void }) =>
        void setTimeout(() => child.kill('SIGINT'), after);
      run = await cli([...SMALL, ...load], { onStart });
      expect(run.code, run.stderr).toBe(130);
    }
    const result = resultIn(output);
    expect(result.complete).toBe(false);
    if (result.runs.length > 0) expect(run.stdout).toContain('Unfinished requests:');
  });
});

test.runIf(isFull)('options that do not go together are refused before anything is loaded', async () => {
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await cli(['bench', 'serve', ...args]);
    expect(code, stderr).toBe(2);
    return stderr;
  };
  expect(await refused('--policies', 'fast')).toContain('--policies must be one of prefill-first, chunked');
  expect(await refused('--cv', '2', '--arrival', 'constant')).toContain('--burstiness and --cv are of --arrival gamma');
  expect(await refused('--arrival', 'closed')).toContain('--arrival closed needs --max-concurrency');
  expect(await refused('--trace', 'synthetic:mail')).toContain('synthetic:code and synthetic:conversation');
  expect(await refused('--trace', 'none.csv')).toContain('--trace none.csv: there is no such file');
  expect(await refused('--trace', 'synthetic:code', '--input-len', '5')).toContain(
    '--input-len does not go with --trace',
  );
  expect(await refused('--goodput', 'itl:5')).toContain('--goodput must be');
  expect(await refused('--base-url', 'nowhere')).toContain('--base-url must be an address');
});
