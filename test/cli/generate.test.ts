import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';
import { recorded } from './recorded.js';
import { build, cli, generateJson, root, Scratch, withKeys, type CliResult } from './support.js';

const PROMPT = 'Once upon a time';
const scratch = new Scratch();
const on = ['--adapter', adapters[0]];
beforeAll(build);
afterAll(() => scratch.remove());

describe.each(adapters)('generate --json on %s', (adapter) => {
  const args = [PROMPT, '--adapter', adapter, '--temperature', '0', '--max-tokens', '12'];

  it('prints one object with everything in it, the same text each time', async () => {
    const result = await cli(['generate', '--json', '--logprobs', '2', ...args]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout.trim().split('\n')).toHaveLength(1);
    const first = JSON.parse(result.stdout) as Awaited<ReturnType<typeof generateJson>>;
    const any = (type: unknown): unknown => expect.any(type);
    expect(first).toMatchObject({
      text: any(String),
      finish_reason: 'length',
      ttft_ms: any(Number),
      tpot_ms: any(Number),
      e2e_ms: any(Number),
      seed: any(Number),
      adapter: any(String),
      driver: any(String),
      tier: any(String),
      model: 'tiny-tales',
      dtype: 'f16',
      kv_dtype: any(String),
      load: { total_ms: any(Number), pipelines_ms: any(Number) },
    });
    expect(first.ids).toHaveLength(12);
    expect(first.prompt_ids[0]).toBe(1);
    expect(first.logprobs!.map(({ id }) => id)).toEqual(first.ids);
    expect(first.logprobs!.every(({ id, top }) => top.length === 2 && top[0].id === id)).toBe(true);

    // Of a greedy answer the seed is nobody's; everything else but times is as it was recorded, on every adapter.
    await expect(recorded({ ...first, seed: 0 })).toMatchFileSnapshot('recorded/generate.json');

    const again = await generateJson(args);
    expect(again.ids).toEqual(first.ids);
    expect(again).not.toHaveProperty('logprobs');
  });
});

describe('generate', () => {
  const greedy = [...on, '--temperature', '0'];
  let reference: { text: string; prompt_ids: number[]; ids: number[] };
  beforeAll(async () => {
    reference = await generateJson([PROMPT, ...greedy, '--max-tokens', '24']);
  });

  it('prints prompt and continuation on standard output, and nothing else anywhere', async () => {
    const result = await cli(['generate', PROMPT, ...greedy, '--max-tokens', '24']);
    expect(result).toMatchObject({ code: 0, stdout: `${PROMPT}${reference.text}\n`, stderr: '' });
  });

  it.runIf(isFull)('reads the prompt from standard input or a file, without the last line end', async () => {
    const expected = `${reference.text}\n`;
    const options = ['--no-echo', ...greedy, '--max-tokens', '24'];
    const file = scratch.file('prompt.txt', `${PROMPT}\r\n`);
    expect((await cli(['generate', ...options], { input: `${PROMPT}\n` })).stdout).toBe(expected);
    expect((await cli(['generate', '-', ...options], { input: PROMPT })).stdout).toBe(expected);
    expect((await cli(['generate', '--prompt-file', file, ...options])).stdout).toBe(expected);
  });

  it.runIf(isFull)('takes token ids, and shows them as text, or as ids where there is no tokenizer', async () => {
    const ids = ['--prompt-ids', reference.prompt_ids.join(','), ...greedy, '--max-tokens', '24'];
    expect((await cli(['generate', ...ids])).stdout).toBe(`${PROMPT}${reference.text}\n`);
    const bare = scratch.model('bare', { 'tokenizer.json': undefined, 'tokenizer_config.json': undefined });
    const { stdout } = await cli(['generate', '--model', bare, ...ids]);
    expect(stdout).toBe(`${[...reference.prompt_ids, ...reference.ids].join(' ')}\n`);
  });

  it.runIf(isFull)('ends before a stop text', async () => {
    const [stop, other] = [reference.text.slice(9, 14), 'not in any story'];
    const args = [PROMPT, ...greedy, '--max-tokens', '24', '--stop', other, '--stop', stop];
    const { text, finish_reason } = await generateJson(args);
    expect(finish_reason).toBe('stop');
    expect(text).toBe(reference.text.slice(0, reference.text.indexOf(stop)));
  });

  it.runIf(isFull)('repeats a sampled run from its seed', async () => {
    const args = [PROMPT, ...on, '--temperature', '0.9', '--top-k', '50', '--top-p', '0.95', '--max-tokens', '24'];
    const first = await generateJson(args);
    expect((await generateJson([...args, '--seed', `${first.seed}`])).ids).toEqual(first.ids);
  });

  it.runIf(isFull)('follows a logit bias', async () => {
    const { ids } = await generateJson([PROMPT, ...greedy, '--max-tokens', '3', '--logit-bias', '402=1e9']);
    expect(ids).toEqual([402, 402, 402]);
  });

  it.runIf(isFull)('never breaks a character, whatever the model makes', async () => {
    const args = ['Zoë 🦊', ...on, '--weights', 'synthetic', '--model', scratch.model('noise')];
    const long = [...args, '--temperature', '3', '--seed', '5', '--max-tokens', '150', '--ignore-eos'];
    const { chunks, stdout } = await cli(['generate', ...long]);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (const chunk of chunks) expect(() => decoder.decode(chunk)).not.toThrow();
    expect(stdout.startsWith('Zoë 🦊')).toBe(true);
    expect(stdout.trimEnd()).toBe(`Zoë 🦊${(await generateJson(long)).text}`.trimEnd());
  });

  it.runIf(isFull)('--timings shows where the time went, on standard error', async () => {
    const { stdout, stderr } = await cli(['generate', PROMPT, ...greedy, '--max-tokens', '4', '--timings']);
    expect(stdout.startsWith(PROMPT)).toBe(true);
    for (const row of ['adapter', 'weights', 'pipelines', 'process start to first token', 'prefill (TTFT)', 'TPOT']) {
      expect(stderr).toContain(row);
    }
    expect(stderr).not.toContain('\x1b');
  });
});

describe('a run that is stopped', () => {
  const long = scratch.model('long', { 'config.json': withKeys({ max_position_embeddings: 4096 }) });
  const endless = ['generate', PROMPT, ...on, '--model', long, '--ignore-eos', '--max-tokens', '4000'];

  it('by Ctrl-C keeps what was printed and exits with 130', async () => {
    let sent = false;
    const result = await cli(endless, {
      onOutput: (child) => {
        if (!sent) setTimeout(() => child.kill('SIGINT'), 200);
        sent = true;
      },
    });
    expect(result).toMatchObject({ code: 130, stderr: '' });
    expect(result.stdout.startsWith(PROMPT)).toBe(true);
    expect(result.stdout.endsWith('\n')).toBe(true);
  });

  it.runIf(isFull)('by Ctrl-C prints its JSON object all the same', async () => {
    let result: CliResult | undefined;
    // Nothing tells from outside when loading is over; an interrupt during it prints nothing, and then wait longer.
    for (const wait of [2500, 6000, 15_000, 60_000, 240_000]) {
      const kill = {
        onStart: (child: { kill: (s: 'SIGINT') => void }) => setTimeout(() => child.kill('SIGINT'), wait),
      };
      result = await cli([...endless, '--json'], kill);
      if (result.stdout !== '') break;
    }
    expect(result).toMatchObject({ code: 130, stderr: '' });
    const { finish_reason, ids } = JSON.parse(result!.stdout) as { finish_reason: string; ids: number[] };
    expect(finish_reason).toBe('abort');
    expect(ids.length).toBeLessThan(4000);
  });

  it('by Ctrl-C while loading says nothing', async ({ skip }) => {
    const onStart = (child: { kill: (s: 'SIGINT') => void }) => setTimeout(() => child.kill('SIGINT'), 400);
    const args = ['generate', '--model', 'llama-2-7b', '--weights', 'synthetic', '--prompt-ids', '1', ...on];
    const { code, signal, stdout, stderr } = await cli([...args, '--context-length', '16'], { onStart });
    skip(/memory/.test(stderr), 'this machine is too small to begin loading');
    // On a busy machine it may not have begun yet, and the system ends it: a shell sees the same.
    expect([signal === 'SIGINT' ? 130 : code, stdout, stderr]).toEqual([130, '', '']);
  });

  it.runIf(isFull)('by a reader that has seen enough ends quietly', () => {
    const words = [process.execPath, join(root, 'scripts', 'ridgepoint.mjs'), ...endless];
    const line = `${words.map((word) => `'${word}'`).join(' ')} | head -c 40; echo "|\${PIPESTATUS[0]}"`;
    const { stdout, stderr } = spawnSync('bash', ['-c', line], { encoding: 'utf8', timeout: 600_000 });
    expect(stdout).toMatch(/^Once upon a time[^]{24}\|0\n$/);
    expect(stderr.replace(/^(Warning: max|Running on SwiftShader).*\n/gm, '')).toBe('');
  });
});
