import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchModel, type DownloadProgress } from '../../src/platform/node/hub.js';
import { chosen, isFull } from '../support/scale.js';
import { FaultyDisk, type Fault } from '../support/faulty-disk.js';
import { built, runModule } from '../platform/child.js';
import { HubServer } from './hub-server.js';
import { readToken } from '../../src/platform/node/hub-place.js';
import { withoutSecrets } from '../../src/platform/node/secrets.js';
import { messageOf, safetensors } from './support.js';

const MODEL = 'someone/tiny-llama';
const data = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const weights = safetensors({ w: { dtype: 'U8', shape: [data.length], data } });
const files = {
  'config.json': '{"model_type":"llama"}',
  'tokenizer.json': '{"version":"1.0"}',
  'model.safetensors': weights,
};

let home: string;
let server: HubServer;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'ridgepoint-hub-'));
  const names = ['HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_TOKEN_PATH'];
  for (const name of [...names, 'HF_HUB_OFFLINE']) vi.stubEnv(name, '');
  vi.stubEnv('HF_HOME', home);
  vi.stubEnv('XDG_CACHE_HOME', join(home, 'cache'));
  server = await HubServer.start(MODEL, files);
  vi.stubEnv('HF_ENDPOINT', server.url);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await server.stop();
  rmSync(home, { recursive: true });
});

const repo = () => join(home, 'hub', 'models--someone--tiny-llama');
const fetched = () => server.requests.filter(({ path }) => path.startsWith('/cdn/')).length;
/** What lies in the cache under the names that a model's files have. */
const present = (folder: string) =>
  Object.entries(files)
    .filter(([name]) => existsSync(join(folder, name)))
    .map(([name, content]) => [name, readFileSync(join(folder, name)).equals(Buffer.from(content))]);

describe('a disk that fails while a model is fetched', () => {
  it.each<Fault>(['ENOSPC', 'EIO', 'short', 'crash'])(
    'never leaves a wrong file under a name, whichever call fails with %s; the next run mends all',
    async (fault) => {
      const count = new FaultyDisk();
      const folder = await fetchModel(MODEL);
      await count.restore();
      expect(count.named).toEqual([]);
      const calls = count.calls.length;
      expect(calls).toBeGreaterThan(40);
      let refused = 0;
      for (const at of chosen(Array.from(Array(calls).keys()), (index) => index % 13 === 5)) {
        rmSync(repo(), { recursive: true });
        rmSync(join(home, 'hub', '.locks'), { recursive: true, force: true });
        const disk = new FaultyDisk((_, index) => (index === at ? fault : 'pass'));
        const error = await fetchModel(MODEL).then(
          () => undefined,
          (reason: Error) => reason,
        );
        await disk.restore();
        if (error !== undefined) {
          refused++;
          if (fault !== 'crash') expect(error.message).toMatch(/cannot be filled: .*; (free some space|set HF_HOME)/);
        }
        expect(disk.named).toEqual([]);
        expect(present(folder).every(([, isRight]) => isRight)).toBe(true);
        if (error === undefined) expect(present(folder)).toHaveLength(3);
        // The lock of a run that crashed is this very process's here, which lives on.
        if (fault === 'crash') rmSync(join(home, 'hub', '.locks'), { recursive: true, force: true });
        expect(await fetchModel(MODEL)).toBe(folder);
        expect(present(folder)).toEqual(Object.keys(files).map((name) => [name, true]));
      }
      expect(refused).toBeGreaterThan(fault === 'short' || !isFull ? 0 : 15);
    },
  );
});

describe('what an older version left', () => {
  it('is read once: a file that is not what its name says is fetched anew', async () => {
    const folder = await fetchModel(MODEL);
    const path = join(folder, 'model.safetensors');
    const blob = join(folder, readlinkSync(path));
    const damaged = Buffer.from(weights);
    damaged.fill(0, damaged.length - 20_000);
    writeFileSync(blob, damaged);
    rmSync(join(home, 'cache'), { recursive: true }); // an older version kept no notes
    const before = fetched();
    expect(await fetchModel(MODEL)).toBe(folder);
    expect(readFileSync(path).equals(Buffer.from(weights))).toBe(true);
    expect(fetched()).toBe(before + 1);

    // A right one costs no request, also without notes; and a note no longer holds once the file was written to.
    rmSync(join(home, 'cache'), { recursive: true });
    await fetchModel(MODEL);
    expect(fetched()).toBe(before + 1);
    writeFileSync(blob, damaged);
    await fetchModel(MODEL);
    expect(readFileSync(path).equals(Buffer.from(weights))).toBe(true);
  });

  it('is named where it may not be fetched anew', async () => {
    const folder = await fetchModel(MODEL);
    const blob = join(folder, readlinkSync(join(folder, 'tokenizer.json')));
    writeFileSync(blob, '{"version":"\0\0\0"}');
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(/blobs\/[0-9a-f]{40}: is damaged, and HF_HUB_OFFLINE/);
    expect(existsSync(blob)).toBe(true);
  });
});

describe('several at once', () => {
  it('fetch one model once: the others wait and use what the first brought', async () => {
    const reports: DownloadProgress[] = [];
    const onProgress = (progress: DownloadProgress) => void reports.push(progress);
    const folders = await Promise.all([1, 2, 3, 4].map(() => fetchModel(MODEL, { onProgress })));
    expect(new Set(folders).size).toBe(1);
    expect(fetched()).toBe(1);
    expect(reports.some(({ stage, item }) => stage === 'waiting' && item === `process ${process.pid}`)).toBe(true);
    expect(existsSync(join(home, 'hub', '.locks', 'models--someone--tiny-llama', 'ridgepoint.lock'))).toBe(false);
  });

  it('are not held up by one that was killed, whose bytes the next goes on with', async () => {
    const source = `
      import { fetchModel } from ${built('platform/node/hub.js')};
      await fetchModel(${JSON.stringify(MODEL)}, { onProgress: ({ item, done }) => {
        if (item === 'model.safetensors' && done > 50_000) process.kill(process.pid, 'SIGKILL');
      } });`;
    server.cuts = 1;
    server.cutAfter = 100_000;
    expect(await runModule(source)).toMatchObject({ code: null, stderr: '' });
    expect(existsSync(join(home, 'hub', '.locks', 'models--someone--tiny-llama', 'ridgepoint.lock'))).toBe(true);
    server.cuts = 0;
    const folder = await fetchModel(MODEL);
    expect(present(folder)).toHaveLength(3);
  });

  it('stop waiting when they are stopped', async () => {
    const lock = join(home, 'hub', '.locks', 'models--someone--tiny-llama', 'ridgepoint.lock');
    mkdirSync(lock, { recursive: true });
    writeFileSync(join(lock, 'owner'), 'another-machine 1 1 x');
    const stop = new AbortController();
    const waiting = fetchModel(MODEL, {
      signal: stop.signal,
      onProgress: ({ stage, item }) => {
        expect([stage, item]).toEqual(['waiting', 'process 1 on another-machine']);
        stop.abort(new Error('interrupted'));
      },
    });
    await expect(waiting).rejects.toThrow('interrupted');
    expect(readdirSync(lock)).toEqual(['owner']);
  });
});

describe('a Hub that says nothing', () => {
  let silent: Server;
  afterEach(() => silent.closeAllConnections());
  /** Answers what `answers` says, and after that nothing, ever. */
  const start = async (answers: (path: string) => string | undefined): Promise<void> => {
    silent = createServer((request, response) => {
      const text = answers(request.url ?? '');
      if (text !== undefined) response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  };

  it.runIf(isFull)('is given up: when asked for the model, and while a file comes', async () => {
    await start(() => undefined);
    const patience = 100;
    expect(await messageOf(() => fetchModel(MODEL, { patience }))).toMatch(
      /cannot reach http:\/\/127\.0\.0\.1:\d+ \(nothing was heard for 0\.1 s\); check the network/,
    );
    silent.closeAllConnections();
    const commit = '0123456789abcdef0123456789abcdef01234567';
    await start((path) => {
      if (path.includes('/revision/')) return JSON.stringify({ _id: '1', id: MODEL, sha: commit });
      const file = (path: string, size: number) => ({ type: 'file', path, size, oid: commit });
      const all = [file('config.json', 9), file('model.safetensors', 9)];
      return path.includes('/tree/') ? JSON.stringify(all) : undefined;
    });
    expect(await messageOf(() => fetchModel(MODEL, { patience }))).toMatch(/nothing was heard for 0\.1 s/);
  });
});

describe('an access token', () => {
  const secret = 'hf_SECRETSECRET';
  it.each([
    ['two lines', `${secret}\nhf_OLD`, /HF_TOKEN: holds more than one line/],
    ['a control character', `${secret}\x01`, /HF_TOKEN: holds a character that no access token has/],
    ['a typographic quote', `${secret}“`, /HF_TOKEN: holds a character that no access token has/],
    ['a blank', `Bearer ${secret}`, /HF_TOKEN: holds a character that no access token has/],
  ])('with %s is refused without being shown', async (_, token, message) => {
    vi.stubEnv('HF_TOKEN', token);
    const shown = await messageOf(() => fetchModel(MODEL));
    expect(shown).toMatch(message);
    expect(shown).not.toContain('SECRET');
    vi.stubEnv('HF_TOKEN', '');
    writeFileSync(join(home, 'token'), token);
    const ofFile = await messageOf(() => fetchModel(MODEL));
    expect(ofFile.startsWith(`${join(home, 'token')}: holds `)).toBe(true);
    expect(ofFile).not.toContain('SECRET');
  });

  it('of a file is left out of whatever is printed, such as an answer that repeats it', async () => {
    vi.stubEnv('HF_TOKEN', '');
    writeFileSync(join(home, 'token'), `${secret}\n`);
    expect(await readToken()).toBe(secret);
    expect(withoutSecrets(`Hub: no access for ${secret}`)).toBe('Hub: no access for ***');
  });

  it('or password in the address of the Hub is not shown either', async () => {
    for (const endpoint of ['http://me:hf_SECRETSECRET@127.0.0.1:9', 'hf_SECRETSECRET', 'file:///hf_SECRETSECRET']) {
      vi.stubEnv('HF_ENDPOINT', endpoint);
      const shown = await messageOf(() => fetchModel(MODEL));
      expect(shown).toMatch(/^HF_ENDPOINT /);
      expect(shown).not.toContain('SECRET');
    }
  });
});
