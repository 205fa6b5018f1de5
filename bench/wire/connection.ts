import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { RemoteSource } from '../../src/platform/node/wire/remote.js';
import { cpuMs, madeUp, PIECE_BYTES } from './made-up.js';

/** What one transfer took, in GB/s: by the clock, and of each side's processor time. */
export interface ConnectionSample {
  readonly clock: number;
  readonly sender: number;
  readonly receiver: number;
}

/**
 * Has another process send pieces over loopback, frames, sums and buffers as between workers; what comes is let go of at
 * once.
 *
 * @param count pieces of 8 MiB in a transfer
 */
export async function measureConnection(count: number, repetitions: number): Promise<ConnectionSample[]> {
  const child = fork(fileURLToPath(new URL('sender.js', import.meta.url)));
  const answer = async <T>(): Promise<T> => ((await once(child, 'message')) as [T])[0];
  const { port } = await answer<{ port: number }>();
  const source = new RemoteSource({ kv: madeUp }, { address: { host: '127.0.0.1', port } });
  const transfer = async (): Promise<ConnectionSample> => {
    child.send('begin');
    await answer();
    const before = process.cpuUsage();
    const began = performance.now();
    let bytes = 0;
    for await (const piece of source.pieces([count], 0, new AbortController().signal)) bytes += piece.bytes.length;
    const [clockMs, ourMs] = [performance.now() - began, cpuMs(before)];
    if (bytes !== count * PIECE_BYTES) throw new Error(`${bytes} bytes came of ${count * PIECE_BYTES}`);
    child.send('end');
    const theirs = await answer<{ cpuMs: number }>();
    const rate = (ms: number): number => bytes / ms / 1e6;
    return { clock: rate(clockMs), sender: rate(theirs.cpuMs), receiver: rate(ourMs) };
  };
  try {
    await transfer(); // buffers are touched for the first time
    const samples: ConnectionSample[] = [];
    for (let at = 0; at < repetitions; at++) samples.push(await transfer());
    return samples;
  } finally {
    await source.close();
    child.disconnect();
  }
}
