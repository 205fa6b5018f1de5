import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { visible, visibleLine } from '../../src/cli/terminal/output.js';
import { withoutSecrets, keepSecret } from '../../src/platform/node/secrets.js';
import { adapters } from '../support/adapters.js';
import { chosen, isFull, scaled } from '../support/scale.js';
import { quoted } from '../platform/child.js';
import { build, cli, root, Scratch, withKeys } from './support.js';

const scratch = new Scratch();
const on = ['--adapter', adapters[0]];
beforeAll(build);
afterAll(() => scratch.remove());

const command = (args: string[]): string =>
  [process.execPath, join(root, 'scripts', 'ridgepoint.mjs'), ...args].map(quoted).join(' ');
const shell = (text: string) => {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', text], { encoding: 'utf8' });
  return {
    code: status,
    stdout,
    stderr: stderr.replace(/^(Warning: max\w+ artificially|Running on SwiftShader).*\n/gm, ''),
  };
};

describe('what a terminal is sent', () => {
  it('holds no character that it would act on', () => {
    const every = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code)).join('');
    expect(visible(every).replace(/[\t\n]/g, '')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(visible('a\tb\r\nc\u001b[31m\u009b1m\u0007\rd')).toBe('a\tb\r\nc\\u001b[31m\\u009b1m\\u0007\\u000dd');
    expect(visible('größer 😀 שלום\u200d')).toBe('größer 😀 שלום\u200d');
    expect(visibleLine(' one\r\n two\u202egnp\u2028x ')).toBe('one two\\u202egnp\\u2028x');
  });

  it('holds no secret that is known', () => {
    const before = process.env.HF_TOKEN;
    try {
      process.env.HF_TOKEN = 'hf_abcdefgh';
      keepSecret('from a file');
      expect(withoutSecrets('"Bearer hf_abcdefgh" and from a file')).toBe('"Bearer ***" and ***');
      process.env.HF_TOKEN = 'x';
      expect(withoutSecrets('a fox')).toBe('a fox');
    } finally {
      if (before === undefined) delete process.env.HF_TOKEN;
      else process.env.HF_TOKEN = before;
    }
  });

  const wild = '\u001b]0;owned\u0007\u001b[31m\u009b1m\u202e\u0000x\ry\nz';
  const models: [string, string, Record<string, unknown>][] = [
    ['architecture', 'config.json', { architectures: [wild] }],
    ['model type', 'config.json', { architectures: undefined, model_type: wild }],
    ['activation', 'config.json', { hidden_act: wild }],
    ['RoPE type', 'config.json', { rope_scaling: { rope_type: wild, factor: 2 } }],
    ['quantisation', 'config.json', { quantization_config: { quant_method: wild } }],
    ['normaliser', 'tokenizer.json', { normalizer: { type: wild } }],
    ['pre-tokeniser', 'tokenizer.json', { pre_tokenizer: { type: wild } }],
    ['decoder', 'tokenizer.json', { decoder: { type: wild } }],
    ['token of no id', 'tokenizer.json', { added_tokens: [{ id: -1, content: wild }] }],
    ['special token', 'tokenizer_config.json', { bos_token: { [wild]: wild } }],
  ];
  it.concurrent.each(chosen(models, (_, i) => i % 8 === 0))(
    'is clean when a model’s files are not: %s',
    async (name, file, keys) => {
      const model = scratch.model(`wild ${name}`, { [file]: withKeys(keys) });
      const { code, stdout, stderr } = await cli(['generate', 'x', '--model', model, ...on]);
      expect([code, stdout]).toEqual([1, '']);
      expect(stderr.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
      expect(stderr).toMatch(/^ridgepoint: .*\\u001b/);
    },
  );

  it.runIf(isFull)('is clean when a chat template is not', async () => {
    const model = scratch.model('wild template', {
      'tokenizer_config.json': withKeys({ chat_template: `{{ raise_exception(${JSON.stringify(wild)}) }}` }),
    });
    const { code, stderr } = await cli(['chat', '--model', model, '--quiet', ...on], { input: 'hello\n' });
    expect(code).toBe(1);
    expect(stderr.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
    expect(stderr).toContain('\\u001b]0;owned');
  });
});

describe.skipIf(!existsSync('/dev/full'))('output that is lost', () => {
  const commands = [
    ['--version'],
    ['--help'],
    ['generate', '--help'],
    ['seeds', '--json'],
    ['predict', '--json'],
    ['predict', 'list'],
    ['devices', '--json'],
    ['generate', 'Once', '--max-tokens', '2', ...on],
    ['generate', 'Once', '--max-tokens', '2', '--json', ...on],
    ['quantize', 'tiny-tales', scratch.path + '/quantised', '--dtype', 'int8', '--json', '--quiet'],
  ];
  it.each(chosen(commands, (_, i) => i % 3 === 1 || i === 9))('%j on a full disk fails and says so', (...args) => {
    const { code, stdout, stderr } = shell(`${command(args)} --adapter x > /dev/full`.replace(' --adapter x', ''));
    const said = stderr.replace(/^ridgepoint: (loading|compiling) .*\n/gm, '');
    expect([code, stdout]).toEqual([1, '']);
    expect(said).toBe(
      'ridgepoint: standard output cannot be written: the disk is full; free some space or choose another disk\n',
    );
  });

  it('by a file that may not grow fails as well, though part of it was taken', () => {
    const file = join(scratch.path, 'limited');
    const { code, stderr } = shell(`trap '' XFSZ; ulimit -f 4; ${command(['seeds', '--json'])} > ${quoted(file)}`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/standard output cannot be written: the file is larger than/);
    expect(readFileSync(file).length).toBeLessThanOrEqual(4 * 1024);
  });

  it.runIf(isFull)('to a reader that has seen enough is no failure', () => {
    const { stdout } = shell(`{ ${command(['seeds', '--json'])}; echo "code $?" >&2; } 2>&1 >/dev/null | cat; true`);
    expect(stdout).toBe('code 0\n');
    const closed = shell(`{ ${command(['seeds', '--json'])}; echo "code $?" >&2; } | head -c 10 > /dev/null`);
    expect(closed.stderr).toBe('code 0\n');
  });

  it('to standard error changes nothing', () => {
    const { code, stdout } = shell(`${command(['predict', '--json'])} 2> /dev/full`);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as { model: string }).model).toBe('llama-2-7b');
  });
});

it('a port that there is not is refused by name', async () => {
  const { code, stderr } = await cli(['web', '--port', '70000']);
  expect([code, stderr]).toEqual([2, 'ridgepoint: --port must be a whole number from 0 to 65535, found "70000"\n']);
});

describe('Ctrl-C ends', () => {
  /** Starts a command, sends a signal after it has been running for a while, and returns how it ended. */
  const ended = async (args: string[], options: { input?: string; signal?: NodeJS.Signals; after?: number } = {}) => {
    const { signal = 'SIGINT', after = 3000, input } = options;
    let timer: NodeJS.Timeout | undefined;
    const result = await cli(args, {
      input,
      onStart: (child) => (timer = setTimeout(() => child.kill(signal), after)),
    });
    clearTimeout(timer);
    return result;
  };

  it.skipIf(process.platform === 'win32')('nothing at once that is a named pipe where a file belongs', async () => {
    for (const file of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      const model = scratch.model(`pipe ${file}`, { [file]: undefined });
      expect(spawnSync('mkfifo', [join(model, file)]).status).toBe(0);
      const { code, stderr } = await cli(['generate', 'x', '--quiet', '--model', model, ...on]);
      expect([code, stderr]).toEqual([1, `ridgepoint: ${join(model, file)}: is not a file\n`]);
    }
  });

  it.runIf(isFull)('a prompt that is waited for, from a pipe by name or from standard input', async () => {
    const pipe = join(scratch.path, 'prompt pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const waits = await ended(['generate', '--prompt-file', pipe, '--quiet', ...on], { after: 1500 });
    // Before the command listens for signals, the system ends it: a shell sees the same.
    expect([130, 'SIGINT']).toContain(waits.code ?? waits.signal);
    expect(waits.stderr).toBe('');
    // Standard input that stays open and brings nothing.
    const args = [join(root, 'scripts', 'ridgepoint.mjs'), 'generate', '--quiet', ...on];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    setTimeout(() => child.kill('SIGINT'), 1500);
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    expect([130, 'SIGINT']).toContain(code ?? signal);
  });

  it('a prompt that is waited for, at whatever moment it is stopped', async () => {
    const args = [join(root, 'scripts', 'ridgepoint.mjs'), 'generate', '--quiet', ...on];
    const ends = Array.from({ length: scaled(24, 6) }, async (_, i) => {
      const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'ignore'] });
      setTimeout(() => child.kill('SIGINT'), 60 + (i * 1200) / scaled(24, 6));
      const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
      return code ?? signal;
    });
    for (const end of await Promise.all(ends)) expect([130, 'SIGINT']).toContain(end);
  });

  it.runIf(isFull)('a prompt that comes from a pipe by name is read', async () => {
    const pipe = join(scratch.path, 'read pipe');
    expect(spawnSync('mkfifo', [pipe]).status).toBe(0);
    const run = cli(['generate', '--prompt-file', pipe, '--max-tokens', '1', '--quiet', ...on]);
    shell(`printf 'Once upon' > ${quoted(pipe)}`);
    const { code, stdout } = await run;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Once upon/);
  });

  it.each([
    ['waits for a reader that takes nothing', "print('x'.repeat(4e6)); process.send('on'); return 0;"],
    ['does not look at the signal', "setInterval(() => {}, 1e6); process.send('on'); return new Promise(() => {});"],
  ])('a command that %s', async (_name, body) => {
    const of = (file: string): string => JSON.stringify(join(root, 'dist', 'src', 'cli', file));
    // Patience is a twentieth of what it is.
    const program = `
      const { setTimeout: usual } = globalThis;
      globalThis.setTimeout = (call, ms, ...rest) => usual(call, ms / 20, ...rest);
      const { runToExit } = await import(${of('run.js')});
      const { print } = await import(${of('terminal/output.js')});
      await runToExit(async () => { ${body} });`;
    const args = ['--input-type=module', '-e', program];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore', 'ipc'] });
    await once(child, 'message');
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([143, null]);
  });

  it.runIf(isFull)(
    'no tokenizer whose pattern backtracks: it is matched in a time that grows with the text',
    async () => {
      const split = { type: 'Split', pattern: { Regex: '(?:a+)+b' }, behavior: 'Isolated', invert: false };
      const model = scratch.model('backtracks', { 'tokenizer.json': withKeys({ pre_tokenizer: split }) });
      const args = ['generate', 'a'.repeat(44), '--model', model, '--max-tokens', '1', '--quiet', ...on];
      expect((await cli(args)).code).toBe(0);
    },
  );

  it.runIf(isFull)('nothing that a chat template makes of itself: it is bounded', async () => {
    const loops = [
      '{% for i in range(1000000000) %}x{% endfor %}',
      '{% for i in range(90000) %}{% for j in range(90000) %}x{% endfor %}{% endfor %}',
      `{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}`,
      `{% set l = '${'x'.repeat(2000)}' %}{% for a in l|list %}{% for b in l|list %}{% for c in l|list %}{% endfor %}{% endfor %}{% endfor %}`,
    ];
    // Each of them alone is allowed.
    loops.push(`{% set s = 'x' * 9999999 %}{% for i in range(90000) %}{% set t = s ~ s %}{% endfor %}{{ s | length }}`);
    for (const [i, chat_template] of chosen(loops, (_, i) => i % 2 === 1).entries()) {
      const model = scratch.model(`loops ${i}`, { 'tokenizer_config.json': withKeys({ chat_template }) });
      const { code, stderr } = await cli(['chat', '--model', model, '--quiet', ...on], { input: 'hello\n' });
      expect([i, code]).toEqual([i, 1]);
      expect(stderr).toMatch(/^ridgepoint: The model's chat template /);
    }
  });
});

it('a secret in a file of the Hub’s clients is in no message', async () => {
  const home = join(scratch.path, 'home');
  mkdirSync(home);
  writeFileSync(join(home, 'token'), 'hf_SECRETSECRET\nhf_OLDSECRET\n');
  const env = { HF_HOME: home, HF_TOKEN: '', HF_ENDPOINT: 'http://127.0.0.1:9', RIDGEPOINT_DEBUG: '1' };
  const { code, stderr } = await cli(['generate', 'x', '--model', 'acme/tiny', ...on], { env });
  expect(code).toBe(2);
  expect(stderr).toContain('holds more than one line');
  expect(stderr).not.toContain('SECRET');
  rmSync(home, { recursive: true });
});
