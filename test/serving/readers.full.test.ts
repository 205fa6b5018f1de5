import { describe, expect, it } from 'vitest';
import { FakeEngine } from './fake-engine.js';
import { bare, inFlight, pause, start, until, wire } from './support.js';

/** Long enough to fill what the system keeps for a connection. */
const LARGE = { max_tokens: 4000, n: 12, logprobs: 20 };

describe('a reader', () => {
  it.each([true, false])('that takes nothing is cut off, counted and logged as that (stream: %s)', async (stream) => {
    const lines: Record<string, unknown>[] = [];
    const logger = { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } };
    const engine = new FakeEngine({ reply: () => 'x'.repeat(4000) });
    const { url, server } = await start(engine, { stallTimeoutMs: 400, capacity: 12, logger });
    const socket = bare(url);
    socket.pause();
    socket.write(wire({ ...LARGE, stream }));
    await until(() => lines.some(({ msg }) => msg === 'request'), 600_000);
    const line = lines.find(({ msg }) => msg === 'request')!;
    expect(line).toMatchObject({ status: 499, cut: 'stalled', client: '127.0.0.1' });
    expect((line['choices'] as object[]).length).toBe(12);
    expect((await server.app.inject('/metrics')).body).toMatch(
      /http_responses_total\{route="\/v1\/completions",status="499"/,
    );
    expect(await inFlight(server)).toBe(0);
    socket.destroy();
  });

  it.skipIf(process.platform !== 'linux').each([true, false])(
    'that is slow and steady gets all of it (stream: %s)',
    async (stream) => {
      const engine = new FakeEngine({ reply: () => 'x'.repeat(4000) });
      const { url } = await start(engine, { stallTimeoutMs: 1800 });
      const socket = bare(url);
      let text = '';
      socket.setEncoding('latin1').pause();
      socket.write(wire({ ...LARGE, stream }).replace('\r\n', '\r\nconnection: close\r\n'));
      // At no time is a third of what the system keeps taken within the limit, but more than the sixteenth of which it
      // tells the sender.
      let done = false;
      socket.on('end', () => (done = true));
      for (let turn = 0; !done; turn++) {
        await pause(turn < 50 ? 100 : 0);
        text +=
          (socket.read(turn < 50 ? 70_000 : undefined) as string | null) ?? (socket.read() as string | null) ?? '';
      }
      expect(text.slice(-200)).toContain(stream ? '[DONE]' : '"usage":');
    },
  );

  it.each([true, false])('that is not done when the time is up is cut off (stream: %s)', async (stream) => {
    const lines: Record<string, unknown>[] = [];
    const logger = { level: 'info', stream: { write: (line: string) => lines.push(JSON.parse(line) as never) } };
    const engine = new FakeEngine({ reply: () => 'x'.repeat(4000) });
    const { url, server } = await start(engine, { requestTimeoutMs: 2500, logger });
    const socket = bare(url);
    socket.pause();
    socket.write(wire({ ...LARGE, stream }));
    await until(() => lines.some(({ msg }) => msg === 'request'), 600_000);
    expect(lines.find(({ msg }) => msg === 'request')).toMatchObject({ status: 504 });
    expect(await inFlight(server)).toBe(0);
    expect(engine.running).toBe(0);
    socket.destroy();
  });
});
