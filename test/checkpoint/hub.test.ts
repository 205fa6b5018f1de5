import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open.js';
import { RidgepointError } from '../../src/errors.js';
import { readPooling } from '../../src/model/pooling.js';
import { openFolder } from '../../src/platform/node/files.js';
import { fetchModel } from '../../src/platform/node/hub.js';
import type { DownloadProgress } from '../../src/platform/node/hub.js';
import { COMMIT, HubServer } from './hub-server.js';
import { messageOf, safetensors } from './support.js';
import { isFull } from '../support/scale.js';

const MODEL = 'someone/tiny-llama';
const data = Uint8Array.from({ length: 3 << 20 }, (_, i) => (i * 31 + (i >> 8)) & 255);
const weights = safetensors({ w: { dtype: 'U8', shape: [data.length], data } });
const singleFile = {
  '.gitattributes': '*',
  'README.md': 'read me',
  'config.json': '{"model_type":"llama"}',
  'generation_config.json': '{}',
  'tokenizer.json': '{"version":"1.0"}',
  'tokenizer_config.json': '{}',
  'chat_template.jinja': 'x',
  'pytorch_model.bin': new Uint8Array(10),
  'consolidated.safetensors': weights,
  'model.safetensors': weights,
};

let home: string;
let server: HubServer;

async function serve(files: Record<string, Uint8Array | string>): Promise<void> {
  server = await HubServer.start(MODEL, files);
  vi.stubEnv('HF_ENDPOINT', server.url);
}

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ridgepoint-hub-'));
  for (const name of [
    'HF_HUB_CACHE',
    'HUGGINGFACE_HUB_CACHE',
    'HF_TOKEN',
    'HUGGING_FACE_HUB_TOKEN',
    'HF_TOKEN_PATH',
    'HF_HUB_OFFLINE',
  ]) {
    vi.stubEnv(name, '');
  }
  vi.stubEnv('HF_HOME', home);
  vi.stubEnv('XDG_CACHE_HOME', join(home, 'cache'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await server?.stop();
  rmSync(home, { recursive: true });
});

const repo = () => join(home, 'hub', 'models--someone--tiny-llama');
const readlinked = (path: string) => join(dirname(path), readlinkSync(path));
const fetched = () => server.requests.filter(({ path }) => path.startsWith('/cdn/'));

describe('fetchModel', () => {
  it('fetches what the engine reads into the shared cache layout, and needs no network the second time', async () => {
    await serve(singleFile);
    const reports: DownloadProgress[] = [];
    const folder = await fetchModel(MODEL, { onProgress: (progress) => reports.push(progress) });
    expect(folder).toBe(join(repo(), 'snapshots', COMMIT));
    expect(readdirSync(folder).sort()).toEqual([
      'chat_template.jinja',
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readFileSync(join(repo(), 'refs', 'main'), 'utf8')).toBe(COMMIT);
    expect(lstatSync(join(folder, 'config.json')).isSymbolicLink()).toBe(true);
    expect(readlinkSync(join(folder, 'config.json'))).toMatch(/^..\/..\/blobs\/[0-9a-f]{40}$/);
    expect(readlinkSync(join(folder, 'model.safetensors'))).toMatch(/^..\/..\/blobs\/[0-9a-f]{64}$/);
    expect(readdirSync(join(repo(), 'blobs')).some((name) => name.endsWith('.incomplete'))).toBe(false);
    const last = reports[reports.length - 1];
    expect(last).toMatchObject({ item: 'model.safetensors', done: last.total });
    expect(reports.every((report, i) => i === 0 || report.done >= reports[i - 1].done)).toBe(true);
    const checkpoint = await openCheckpoint(await openFolder(folder));
    expect(checkpoint.totalBytes).toBe(data.length);
    await checkpoint.close();

    await server.stop();
    expect(await fetchModel(MODEL)).toBe(folder);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await fetchModel(MODEL, { revision: COMMIT })).toBe(folder);
  });

  it('goes on where a broken connection ended', async () => {
    await serve(singleFile);
    server.cuts = 2;
    server.cutAfter = 1 << 20;
    const folder = await fetchModel(MODEL);
    expect(Buffer.compare(readFileSync(join(folder, 'model.safetensors')), weights)).toBe(0);
    // A connection that breaks may take the bytes along that the client had not read yet, on a busy machine all.
    const [whole, ...begins] = fetched().map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    expect([whole, begins.length]).toEqual([0, 2]);
    [0, begins[0]].forEach((before, i) => {
      expect(begins[i]).toBeGreaterThanOrEqual(before);
      expect(begins[i]).toBeLessThanOrEqual(before + (1 << 20));
    });
  });

  it('goes on where an interrupted run ended', async () => {
    await serve(singleFile);
    const stop = new AbortController();
    server.cuts = 1;
    server.cutAfter = 1_500_000;
    const interrupted = fetchModel(MODEL, {
      signal: stop.signal,
      onProgress: ({ item, done }) => {
        if (item === 'model.safetensors' && done > 1 << 20) stop.abort(new Error('interrupted'));
      },
    });
    await expect(interrupted).rejects.toThrow('interrupted');
    const [partial] = readdirSync(join(repo(), 'blobs')).filter((name) => name.endsWith('.incomplete'));
    const { size } = statSync(join(repo(), 'blobs', partial));
    expect(size).toBeGreaterThan(1 << 20);
    expect(size).toBeLessThanOrEqual(1_500_000);

    server.cuts = 0;
    server.requests.length = 0;
    const folder = await fetchModel(MODEL);
    expect(fetched().map(({ range }) => range)).toEqual([`bytes=${size}-`]);
    expect(Buffer.compare(readFileSync(join(folder, 'model.safetensors')), weights)).toBe(0);
  });

  it.runIf(isFull)('starts over where a server knows no ranges, and does not do so for ever', async () => {
    await serve(singleFile);
    server.ignoreRanges = true;
    server.cuts = 1;
    server.cutAfter = 1 << 20;
    const folder = await fetchModel(MODEL);
    expect(Buffer.compare(readFileSync(join(folder, 'model.safetensors')), weights)).toBe(0);

    rmSync(repo(), { recursive: true });
    server.cuts = 1e9;
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(/^someone\/tiny-llama: cannot reach http.*run again/);
  });

  it('deletes a file whose hash is wrong, also one that was damaged before it was continued', async () => {
    await serve(singleFile);
    server.corrupt = true;
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(
      /model.safetensors arrived damaged and was deleted; run again/,
    );
    server.corrupt = false;
    const blobs = join(repo(), 'blobs');
    expect(readdirSync(blobs).some((name) => name.endsWith('.incomplete'))).toBe(false);
    const sha = readdirSync(blobs).find((name) => name.length === 64);
    expect(sha).toBeUndefined();
    const folder = await fetchModel(MODEL);

    // A partial file from another tool or a bad disk: found out by the hash, gone at the next attempt.
    const blob = readlinkSync(join(folder, 'model.safetensors')).slice('../../blobs/'.length);
    rmSync(join(blobs, blob));
    writeFileSync(join(blobs, `${blob}.incomplete`), new Uint8Array(1000));
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(/arrived damaged and was deleted/);
    expect(await fetchModel(MODEL)).toBe(folder);
  });

  it('fetches the shards that the index lists, and only those', async () => {
    const shard = (n: number) => `model-0000${n}-of-00002.safetensors`;
    const files = {
      'config.json': '{}',
      'tokenizer.json': '{}',
      'model.safetensors.index.json': JSON.stringify({ weight_map: { a: shard(1), b: shard(2), c: shard(1) } }),
      [shard(1)]: weights,
      [shard(2)]: safetensors({ b: { dtype: 'U8', shape: [1], data: new Uint8Array(1) } }),
      'other.safetensors': weights,
    };
    await serve(files);
    const folder = await fetchModel(MODEL);
    expect(readdirSync(folder).sort()).toEqual(
      Object.keys(files)
        .filter((name) => name !== 'other.safetensors')
        .sort(),
    );
    rmSync(join(folder, shard(2)));
    server.requests.length = 0;
    expect(await fetchModel(MODEL)).toBe(folder);
    expect(existsSync(join(folder, shard(2)))).toBe(true);
    expect(fetched()).toHaveLength(0); // the blob was still there

    for (const outside of ['../../../evil', '/tmp/evil']) {
      rmSync(repo(), { recursive: true });
      await server.stop();
      await serve({ ...files, 'model.safetensors.index.json': JSON.stringify({ weight_map: { a: outside } }) });
      expect(await messageOf(() => fetchModel(MODEL))).toMatch(/lists no usable files/);
    }
  });

  it('runs a cached model without a tokenizer although the Hub cannot be asked for one', async () => {
    await serve({ 'config.json': '{}', 'model.safetensors': weights });
    const folder = await fetchModel(MODEL);
    await server.stop();
    expect(await fetchModel(MODEL)).toBe(folder);
  });

  it('fetches how a model pools, from the folder that modules.json names', async () => {
    const pooling = '1_Pooling/config.json';
    const modules = JSON.stringify([{ type: 'sentence_transformers.models.Pooling', path: '1_Pooling' }]);
    const files = { ...singleFile, 'modules.json': modules, 'config_sentence_transformers.json': '{}' };
    await serve({ ...files, [pooling]: '{"pooling_mode_lasttoken":true}', '2_Dense/config.json': '{}' });
    const judged: unknown[] = [];
    const judge = async (folder: string): Promise<void> =>
      void judged.push(await readPooling(await openFolder(folder)), readdirSync(folder).includes('model.safetensors'));
    const folder = await fetchModel(MODEL, { judge });
    expect(judged).toEqual([{ pooling: 'last', normalize: false }, false]);
    expect(readdirSync(folder)).toContain('config_sentence_transformers.json');
    expect(existsSync(join(folder, '2_Dense'))).toBe(false);
    const asked = server.requests.length;
    expect(await fetchModel(MODEL)).toBe(folder);
    expect(server.requests).toHaveLength(asked);

    // What another client left out is fetched, without the weights; who cannot ask goes on without it.
    rmSync(join(folder, '1_Pooling'), { recursive: true });
    expect(await fetchModel(MODEL)).toBe(folder);
    expect(existsSync(join(folder, pooling))).toBe(true);
    expect(fetched()).toHaveLength(1);
    rmSync(join(folder, '1_Pooling'), { recursive: true });
    await server.stop();
    expect(await fetchModel(MODEL)).toBe(folder);
  });

  it('does without a folder of pooling that the Hub does not have', async () => {
    const modules = JSON.stringify([
      { type: 'x.Pooling', path: '1_Pooling' },
      { type: 'x.Pooling', path: '../up' },
    ]);
    await serve({ ...singleFile, 'modules.json': modules });
    const folder = await fetchModel(MODEL);
    expect(readdirSync(folder)).toContain('model.safetensors');
    expect(server.requests.some(({ path }) => path.includes('..'))).toBe(false);
  });

  it('sends the token to the Hub, from the environment or the token file', async () => {
    await serve(singleFile);
    writeFileSync(join(home, 'token'), 'from-file\n');
    await fetchModel(MODEL);
    expect(server.requests[0].auth).toBe('Bearer from-file');
    rmSync(repo(), { recursive: true });
    server.requests.length = 0;
    vi.stubEnv('HF_TOKEN', 'from-environment');
    await fetchModel(MODEL);
    expect(server.requests.every(({ auth }) => auth === 'Bearer from-environment')).toBe(true);
  });

  it('judges a model before any of its weights are fetched, or read where they are there', async () => {
    await serve(singleFile);
    const seen: string[][] = [];
    const refuse = (folder: string): Promise<void> => {
      seen.push(readdirSync(folder).sort());
      return Promise.reject(new RidgepointError('checkpoint', 'not this one'));
    };
    expect(await messageOf(() => fetchModel(MODEL, { judge: refuse }))).toBe('not this one');
    const small = ['chat_template.jinja', 'config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json']; // prettier-ignore
    expect(seen).toEqual([small]);
    expect(fetched()).toEqual([]);
    expect(server.sent).toBeLessThan(200);

    // Its weights were put there by another client, and nobody has read them yet: a damaged one would be found.
    const folder = await fetchModel(MODEL);
    rmSync(join(home, 'cache'), { recursive: true });
    writeFileSync(readlinked(join(folder, 'model.safetensors')), 'damaged');
    server.requests.length = 0;
    expect(await messageOf(() => fetchModel(MODEL, { judge: refuse }))).toBe('not this one');
    expect(server.requests).toEqual([]);
    expect(await fetchModel(MODEL, { judge: () => Promise.resolve() })).toBe(folder);
    expect(fetched()).toHaveLength(1);
    expect(Buffer.compare(readFileSync(join(folder, 'model.safetensors')), weights)).toBe(0);
  });

  it('honours HF_HUB_CACHE', async () => {
    await serve(singleFile);
    vi.stubEnv('HF_HUB_CACHE', join(home, 'elsewhere'));
    expect(await fetchModel(MODEL)).toBe(join(home, 'elsewhere', 'models--someone--tiny-llama', 'snapshots', COMMIT));
  });

  it('says why it cannot', async () => {
    await serve(singleFile);
    const withStatus = (status: number) => ((server.status = status), messageOf(() => fetchModel(MODEL)));
    expect(await withStatus(401)).toBe(
      `${MODEL}: there is no public model of that name; check the name, or set HF_TOKEN if it is private or gated`,
    );
    expect(await withStatus(403)).toMatch(
      /access is restricted; accept its terms at http.*someone\/tiny-llama and set HF_TOKEN/,
    );
    expect(await withStatus(404)).toMatch(/the Hub has no such model, or no revision main of it/);
    expect(await withStatus(429)).toMatch(/slow down/);
    expect(await withStatus(503)).toMatch(/status 503; run again later/);
    vi.stubEnv('HF_TOKEN', 'hf_wrong');
    expect(await withStatus(401)).toMatch(/does not accept the access token/);
    server.status = 200;
    expect(await messageOf(() => fetchModel(MODEL, { revision: 'v2' }))).toMatch(/no revision v2 of it/);
    for (const name of ['', '../x', 'a/b/c', '/tmp/x', 'a b', 'a/..', 'C:\\x']) {
      expect(await messageOf(() => fetchModel(name))).toMatch(/is neither a folder nor a Hub name/);
    }
    expect(await messageOf(() => fetchModel(MODEL, { revision: '../../x' }))).toMatch(/is not a revision/);
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(/is not completely in .*HF_HUB_OFFLINE forbids/);
    vi.stubEnv('HF_HUB_OFFLINE', '0');
    server.files.delete('model.safetensors');
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(
      /has no model.safetensors or .* it holds pytorch_model.bin, a file of PyTorch's; convert/,
    );
    await server.stop();
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(
      /cannot reach http:\/\/127.0.0.1:\d+ \(.*ECONNREFUSED.*\); check the network/,
    );
    vi.stubEnv('HF_HUB_CACHE', '/dev/null/cache');
    await serve(singleFile);
    expect(await messageOf(() => fetchModel(MODEL))).toMatch(
      /cannot be filled: .*; set HF_HOME to a folder that can be written/,
    );
  });
});
