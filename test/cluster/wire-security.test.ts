import { mkdtempSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Address } from '../../src/cluster/address.js';
import { PairedEngine } from '../../src/cluster/embedded.js';
import { wireOptions } from '../../src/cli/options/wire.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { openTextModel } from '../../src/engine/text-model.js';
import { nodeHost } from '../../src/platform/node/host.js';
import type { WireTls } from '../../src/platform/node/wire/connection.js';
import { openRouter } from '../../src/platform/node/wire/open-router.js';
import { WorkerPort, type PortOptions } from '../../src/platform/node/wire/port.js';
import { RemoteSource } from '../../src/platform/node/wire/remote.js';
import { adapter, TINY, tinyFolder } from '../engine/support.js';
import { random } from '../reference/compare.js';
import { portOf } from './pair.js';

const numbers = random(21);
const ids = (count: number): number[] => Array.from({ length: count }, () => 3 + numbers.integer(TINY.vocab_size - 3));
const GREEDY = { temperature: 0, ignoreEos: true, maxTokens: 8 };
const host = '127.0.0.1';
const certificate = (name: string): string => join(import.meta.dirname, 'certificates', `${name}.pem`);
const read = (name: string): string => readFileSync(certificate(name), 'utf8');
const ca = read('ca');
const OURS: WireTls = { cert: read('worker'), key: read('worker-key'), ca };
const STRANGER: WireTls = { cert: read('stranger'), key: read('stranger-key'), ca: read('stranger') };
const model = tinyFolder();

describe('connections of a cluster', () => {
  let prefill: CoreEngine;
  let decode: CoreEngine;
  beforeAll(async () => {
    const load = (): Promise<CoreEngine> =>
      startEngine({ adapter, model, contextLength: 128, kvCacheTokens: 512, kvDtype: 'f32' }, nodeHost);
    [prefill, decode] = [await load(), await load()];
  });
  afterAll(() => Promise.all([prefill, decode].map((engine) => engine.dispose())));

  const open = async (options: PortOptions): Promise<{ worker: WorkerPort; told: string[] }> => {
    const told: string[] = [];
    return { worker: await WorkerPort.create(prefill, { ...options, tell: (what) => told.push(what) }), told };
  };
  /** What becomes of a prompt computed at an address: blocks that came, by what was missing. */
  const tried = async (address: Address, tls?: WireTls, token?: string): Promise<readonly [number, string[]]> => {
    const source = new RemoteSource(decode, { address, tls, token });
    const pair = new PairedEngine(decode, source, () => source.close());
    const prompt = ids(70);
    const { ids: found } = await pair.generate(prompt, GREEDY).result;
    expect(found).toEqual((await prefill.generate(prompt, GREEDY).result).ids);
    await source.close();
    return [pair.transfers.bytes / decode.kv.blockBytes, [...pair.transfers.fallbacks.keys()]];
  };

  it('are encrypted between those whose certificates one authority has signed, and with nobody else', async () => {
    const { worker, told } = await open({ tls: OURS, token: 'secret' });
    const address = { host, port: await portOf(worker) };
    expect(await tried(address, OURS, 'secret')).toEqual([4, []]);
    expect(await tried(address, OURS, 'wrong')).toEqual([0, ['failed']]);
    const router = await openRouter({
      model: await openTextModel({ model }, nodeHost),
      workers: [address],
      token: 'secret',
      tls: OURS,
    });
    const prompt = ids(30);
    expect((await router.generate(prompt, GREEDY).result).ids).toEqual(
      (await decode.generate(prompt, GREEDY).result).ids,
    );
    await router.dispose();
    // Who shows a certificate of somebody else, none, or speaks in clear; and who does not trust the worker's.
    for (const tls of [{ ...STRANGER, ca }, { ca }, undefined, STRANGER]) {
      expect(await tried(address, tls, 'secret')).toEqual([0, ['lost']]);
    }
    await expect.poll(() => told.filter((what) => what.includes('was refused')).length).toBeGreaterThanOrEqual(4);
    await worker.close();
    const open2 = await open({ tls: { cert: OURS.cert, key: OURS.key } });
    const any = { host, port: await portOf(open2.worker) };
    expect(await tried(any, { ca }), 'a worker without an authority asks for no certificate').toEqual([4, []]);
    await open2.worker.close();
  });

  it('go through a socket in the file system, which is for this user and taken over from who has left it', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'ridgepoint-wire-')), 'worker.sock');
    const { worker } = await open({});
    expect(await worker.listen({ path })).toEqual({ path });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await tried({ path })).toEqual([4, []]);
    const other = await open({});
    await expect(other.worker.listen({ path })).rejects.toThrow('EADDRINUSE');
    await worker.close();
    // A process that is killed leaves its socket.
    const left = createServer().listen({ path });
    await new Promise((resolve) => left.once('listening', resolve));
    renameSync(path, `${path}.left`);
    await new Promise((resolve) => left.close(resolve));
    renameSync(`${path}.left`, path);
    await expect(new Promise((_, reject) => connect({ path }).once('error', reject))).rejects.toThrow('ECONNREFUSED');
    await other.worker.listen({ path });
    expect(await tried({ path })).toEqual([4, []]);
    await other.worker.close();
  });
});

describe('options of connections', () => {
  const [clusterTlsCert, clusterTlsKey, clusterTlsCa] = ['worker', 'worker-key', 'ca'].map(certificate);

  it('are read from their files', async () => {
    expect(await wireOptions({ clusterToken: 'abcdef', clusterTlsCert, clusterTlsKey, clusterTlsCa }, true)).toEqual({
      token: 'abcdef',
      tls: OURS,
    });
    expect(await wireOptions({ clusterTlsCa })).toEqual({ token: undefined, tls: { ca } });
    expect(await wireOptions({})).toEqual({ token: undefined });
  });

  it('name what is missing or no certificate', async () => {
    const refusal = (flags: Parameters<typeof wireOptions>[0], isWorker = false): Promise<string> =>
      wireOptions(flags, isWorker).then(
        () => 'taken',
        (error: Error) => error.message,
      );
    expect(await refusal({ clusterTlsCert })).toBe('--cluster-tls-cert needs --cluster-tls-key');
    expect(await refusal({ clusterTlsKey })).toBe('--cluster-tls-key needs --cluster-tls-cert');
    expect(await refusal({ clusterTlsCa }, true)).toBe(
      'a worker shows a certificate; give --cluster-tls-cert and --cluster-tls-key',
    );
    expect(await refusal({ clusterTlsCa: '/nowhere.pem' })).toBe(
      '--cluster-tls-ca /nowhere.pem: there is no such file',
    );
    const strangers = certificate('stranger-key');
    expect(await refusal({ clusterTlsCert, clusterTlsKey: strangers })).toMatch(
      /^--cluster-tls-cert, --cluster-tls-key and --cluster-tls-ca cannot be used together: .*key values mismatch$/,
    );
    const empty = join(mkdtempSync(join(tmpdir(), 'ridgepoint-wire-')), 'empty.pem');
    writeFileSync(empty, 'nothing\n');
    expect(await refusal({ clusterTlsCa: empty })).toBe(
      `--cluster-tls-ca ${empty} is no PEM file: it has no "-----BEGIN"`,
    );
  });
});
