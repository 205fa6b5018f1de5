import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { build, cli, root, Scratch, type CliOptions, type CliResult } from './support.js';
import { isFull } from '../support/scale.js';

const scratch = new Scratch();
const on = ['serve', '--adapter', adapters[0], '--port', '0', '--quiet'];
beforeAll(build);
afterAll(() => scratch.remove());

interface Served {
  readonly url: string;
  readonly done: Promise<CliResult>;
  readonly signal: (name: NodeJS.Signals) => void;
}

/** Starts the server and waits until it listens. */
function serve(args: readonly string[] = [], options: CliOptions = {}): Promise<Served> {
  return new Promise((resolve, reject) => {
    let output = '';
    let served = false;
    const done = cli([...on, ...args], {
      ...options,
      onStart: (child) => {
        child.stdout.on('data', (data: Buffer) => {
          output += data.toString();
          const url = /Server listening at (http:[^"]*)/.exec(output)?.[1];
          if (url === undefined || served) return;
          served = true;
          resolve({ url, done, signal: (name) => void child.kill(name) });
        });
      },
    });
    done.then(
      (result) => reject(new Error(`ended with ${result.code}: ${result.stderr}`)),
      (error: unknown) => reject(error as Error),
    );
  });
}

function complete(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ prompt: 'Lily the unmistakable', ignore_eos: true, max_tokens: 100, ...body }),
  });
}

describe('serve', () => {
  it.runIf(isFull)('ends when the shell that npm runs it in does', async () => {
    const entry = join(root, 'scripts', 'ridgepoint.mjs');
    const command = [process.execPath, entry, ...on].map((part) => `'${part}'`).join(' ');
    const env = { ...process.env, npm_command: 'exec' };
    const shell = spawn('sh', ['-c', `${command}; echo never`], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    const ended = once(shell.stdout, 'close');
    const [url] = await new Promise<string[]>((resolve) => {
      shell.stdout.on('data', (data: Buffer) => {
        output += data.toString();
        const found = /Server listening at (http:[^"]*)/.exec(output);
        if (found !== null) resolve([found[1]]);
      });
    });
    expect((await fetch(`${url}/health`)).status).toBe(200);
    shell.kill('SIGTERM');
    // The server holds the pipe too, so it closes once that has ended.
    await ended;
    expect(output).not.toContain('never');
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it.runIf(isFull)('finishes a stream that SIGTERM comes in the middle of, and logs no prompt and no key', async () => {
    const { url, done, signal } = await serve([], { env: { RIDGEPOINT_API_KEY: 'hidden-key, other' } });
    expect((await complete(url, {})).status).toBe(401);
    const response = await complete(url, { stream: true }, { authorization: 'Bearer hidden-key' });
    let text = '';
    for await (const bytes of response.body!) {
      if (text === '') signal('SIGTERM');
      text += Buffer.from(bytes as Uint8Array).toString();
    }
    expect(text.match(/"text":/g)!.length).toBeGreaterThan(20);
    expect(text.trimEnd().endsWith('[DONE]')).toBe(true);
    const { code, stdout } = await done;
    expect(code).toBe(0);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toContainEqual(expect.objectContaining({ route: '/v1/completions', status: 401 }));
    const [choice] = lines.find(({ status }) => status === 200)!['choices'] as object[];
    expect(choice).toMatchObject({ completionTokens: 100, finishReason: 'length' });
    expect(stdout).not.toMatch(/unmistakable|hidden-key/);
  });

  it.runIf(isFull)('ends a stream at the second signal, and tells its reader', async () => {
    const { url, done, signal } = await serve();
    const response = await complete(url, { stream: true, n: 8, max_tokens: 400 });
    let text = '';
    for await (const bytes of response.body!) {
      if (text === '') {
        signal('SIGINT');
        setTimeout(() => signal('SIGINT'), 50);
      }
      text += Buffer.from(bytes as Uint8Array).toString();
    }
    expect(text).toContain('server_shutdown');
    expect(text).not.toContain('[DONE]');
    expect((await done).code).toBe(0);
  });

  it('tells of a taken port before the model is loaded, says "loading" until it is, and then serves chats', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    // There is no such model: who looked for it first would say so.
    const taken = await cli([...on, '--port', `${port}`, '--model', join(scratch.path, 'nowhere')]);
    expect(taken.stderr).toContain(`port ${port} of 127.0.0.1 is in use`);
    await new Promise((resolve) => blocker.close(resolve));
    const statuses = new Set<number>();
    const asking = setInterval(() => {
      fetch(`http://127.0.0.1:${port}/health`).then(
        ({ status }) => statuses.add(status),
        () => undefined,
      );
    }, 20);
    const template = scratch.file('chat.jinja', `{{ bos_token }}{{ messages[0]['content'] }}`);
    const given = ['--chat-template', template, '--served-model-name', 'story', '--no-ui', '--ttft-slo', '0.001'];
    const { url, done, signal } = await serve(['--port', `${port}`, ...given]);
    while (!statuses.has(200)) await new Promise((resolve) => setTimeout(resolve, 20));
    clearInterval(asking);
    expect([...statuses]).toEqual([503, 200]);
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'story',
        messages: [{ role: 'user', content: 'Once' }],
        max_tokens: 3,
        ttft_slo_ms: 1e6,
      }),
    });
    expect(await response.json()).toMatchObject({ model: 'story', usage: { completion_tokens: 3 } });
    expect((await fetch(`${url}/`)).status).toBe(404);
    // What steps take is known after some, and that no first token comes so soon.
    const answered: number[] = [];
    while (answered.at(-1) !== 429 && answered.length < 20) answered.push((await complete(url, {})).status);
    expect(answered.at(-1)).toBe(429);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('process_resident_memory_bytes');
    signal('SIGTERM');
    expect((await done).code).toBe(0);
  });

  it.runIf(isFull)('says in one sentence why it cannot', async () => {
    const blocker = createServer();
    await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
    const { port } = blocker.address() as { port: number };
    const broken = scratch.file('broken.jinja', '{% for %}');
    const cases: [string[], number, RegExp][] = [
      [['--port', `${port}`], 2, new RegExp(`port ${port} of 127.0.0.1 is in use; choose another with --port`)],
      [['--port', '70000'], 2, /--port must be a whole number from 0 to 65535/],
      [['--request-timeout', '0'], 2, /--request-timeout must be a number of seconds above 0/],
      [['--chat-template', 'nowhere.jinja'], 2, /--chat-template nowhere.jinja: there is no such file/],
      [['--chat-template', broken], 1, /chat template is not valid Jinja/],
    ];
    for (const [args, code, message] of cases) {
      const result = await cli([...on, ...args]);
      expect(result, result.stderr).toMatchObject({ code, stdout: '' });
      expect(result.stderr).toMatch(message);
      expect(result.stderr.trim().split('\n')).toHaveLength(1);
    }
    blocker.close();
  });
});
