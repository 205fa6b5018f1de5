import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchedRows, fetchRows } from '../../src/cli/commands/ledger/fetched.js';
import { ledgerCommand, ledgerRows } from '../../src/cli/commands/ledger/run.js';
import { serveStatic, type StaticServer } from '../support/static-server.js';

const NAME = 'gpu-benchmarks';
const TABLE = `| GPU | Model | tg 512 | tg 1024 |
|---|---|---|---|
| 3090 24GB | 8B F16 | 50 | 40 |
`;

let server: StaticServer;
let page: { status: number; text: string };
let folder: string;

beforeAll(async () => {
  server = await serveStatic({
    folders: {},
    answer: (_, response) => {
      response.writeHead(page.status).end(page.text);
      return true;
    },
  });
});
afterAll(() => server.close());
beforeEach(() => {
  page = { status: 200, text: TABLE };
  folder = mkdtempSync(join(tmpdir(), 'ridgepoint-ledger-'));
  vi.stubEnv('XDG_CACHE_HOME', folder);
  vi.stubEnv('RIDGEPOINT_GITHUB', `${server.url}/`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const refused = (name = NAME): Promise<string> =>
  fetchRows(name).then(
    () => 'fetched',
    (error: Error) => error.message,
  );

describe('the page of the ledger', () => {
  it('has the rows that come with the project and those that were fetched, with where they are from', async () => {
    await fetchRows(NAME);
    const path = join(folder, 'ledger.html');
    const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    expect(await ledgerCommand({ device: 'rtx-3090', report: path, json: true })).toBe(0);
    expect(told.mock.calls.map(([text]) => text).join('')).toContain(`written to ${path}`);
    vi.restoreAllMocks();
    const text = readFileSync(path, 'utf8').replaceAll(/<[^>]+>/g, ' ');
    expect(text).toContain('gpu-benchmarks: 2 rows');
    expect(text).toContain('From XiongjieDai/GPU-Benchmarks-on-LLM-Inference, commit');
    expect(text).not.toContain('splitwise-sim:');
    // Asked for beside another output, it is written too.
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const other = join(folder, 'other.html');
    expect(await ledgerCommand({ device: 'rtx-3090', report: other, markdown: true })).toBe(0);
    vi.restoreAllMocks();
    expect(readFileSync(other, 'utf8')).toContain('gpu-benchmarks: 2 rows');
  });
});

describe('a source whose rows are fetched', () => {
  it('is asked for at its commit, once, and kept beside those that come with the project', async () => {
    expect([...(await fetchedRows())]).toEqual([]);
    const asked = server.log.length;
    await fetchRows(NAME);
    expect(server.log.slice(asked)).toEqual([
      expect.stringMatching(/^GET \/XiongjieDai\/GPU-Benchmarks-on-LLM-Inference\/[0-9a-f]{40}\/README\.md$/),
    ]);
    const kept = await fetchedRows();
    expect([...kept.keys()]).toEqual([NAME]);
    expect(kept.get(NAME)!.map(({ source, device, ms, fit }) => [source, device, ms, fit])).toEqual([
      [NAME, 'rtx-3090', 20, false],
      [NAME, 'rtx-3090', 25, true],
    ]);
    expect(server.log.length).toBe(asked + 1);
    expect((await ledgerRows()).some(({ source }) => source === NAME)).toBe(false);
  });

  it('that cannot be had says why in a sentence, and keeps what was there', async () => {
    await fetchRows(NAME);
    expect(await refused('other')).toBe(`--fetch must be one of ${NAME}, found "other"`);
    page = { status: 404, text: '' };
    expect(await refused()).toMatch(/answers with status 404; have RIDGEPOINT_GITHUB name a mirror that has it, or/);
    page = { status: 503, text: '' };
    expect(await refused()).toMatch(
      /^--fetch gpu-benchmarks: http.*README\.md answers with status 503; run again later$/,
    );
    page = { status: 200, text: 'another page' };
    expect(await refused()).toMatch(/has no table of llama-bench that can be read/);
    vi.stubEnv('RIDGEPOINT_GITHUB', 'http://127.0.0.1:9');
    expect(await refused()).toMatch(
      /^--fetch gpu-benchmarks: cannot reach http:\/\/127\.0\.0\.1:9\/.*; check the network/,
    );
    vi.stubEnv('RIDGEPOINT_GITHUB', 'http://me:secret@127.0.0.1');
    expect(await refused()).toMatch(/^RIDGEPOINT_GITHUB must be an http or https address without a name and password/);
    expect((await fetchedRows()).get(NAME)).toHaveLength(2);
  });
});
