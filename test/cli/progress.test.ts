import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { barLine, LoadingBar } from '../../src/cli/terminal/progress.js';
import { dim } from '../../src/cli/terminal/style.js';

class FakeSink {
  text = '';
  columns = 80;
  constructor(readonly isTTY: boolean) {}
  write(text: string): void {
    this.text += text;
  }
}

const weights = (done: number, total = 13_000_000_000) =>
  ({ stage: 'weights', item: 'model.layers.0.mlp.gate_up', done, total, unit: 'bytes' }) as const;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubEnv('TERM', 'xterm-256color');
  vi.stubEnv('NO_COLOR', undefined);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
});

describe('the loading bar', () => {
  const load = (sink: FakeSink, seconds: number, rate = 1e9) => {
    const bar = new LoadingBar('llama-2-7b', sink);
    for (let tenth = 0; tenth < seconds * 10; tenth++) {
      bar.report(weights((tenth * rate) / 10));
      vi.advanceTimersByTime(100);
    }
    return bar;
  };

  it('shows nothing for a short load', () => {
    const sink = new FakeSink(true);
    load(sink, 0.2).end();
    expect(sink.text).toBe('');
  });

  it('rewrites one line of a terminal, with amount, speed and time left, and clears it', () => {
    const sink = new FakeSink(true);
    const bar = load(sink, 5);
    expect(sink.text).toContain('37 %  4.9 of 13.0 GB  0.98 GB/s  9 s left');
    expect(sink.text).not.toContain('\n');
    bar.end();
    expect(sink.text.endsWith('\r\x1b[K')).toBe(true);
  });

  it.each([
    ['a pipe', new FakeSink(false), {}],
    ['a dumb terminal', new FakeSink(true), { TERM: 'dumb' }],
  ])('writes few and plain lines to %s', (_, sink, env) => {
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
    load(sink, 120, 1e8).end();
    const lines = sink.text.trimEnd().split('\n');
    expect(lines).toHaveLength(4); // after 10, 20, 40 and 80 seconds
    for (const line of lines) expect(line).toMatch(/^ridgepoint: loading weights: \d+ %, [\d.]+ of 13\.0 GB, [ -~]+$/);
  });

  it('shows kernels once the weights are there', () => {
    const sink = new FakeSink(true);
    const bar = new LoadingBar('tiny', sink);
    bar.report(weights(5, 5));
    bar.report({ stage: 'pipelines', item: 'matmul', done: 3, total: 20, unit: 'pipelines' });
    vi.advanceTimersByTime(500);
    bar.end();
    expect(sink.text).toContain('compiling kernels');
    expect(sink.text).toContain('3 of 20');
  });

  it('fits a terminal of any width', () => {
    for (let columns = 1; columns <= 200; columns++) {
      expect(barLine('llama-2-7b', weights(6_000_000_000), 6e9, 5000, columns).length).toBeLessThan(
        Math.max(columns, 1),
      );
    }
  });
});

describe('colour', () => {
  it('is for terminals only, and for none where NO_COLOR is set', () => {
    expect(dim('x', new FakeSink(true))).toBe('\x1b[2mx\x1b[22m');
    expect(dim('x', new FakeSink(false))).toBe('x');
    vi.stubEnv('NO_COLOR', '1');
    expect(dim('x', new FakeSink(true))).toBe('x');
    vi.stubEnv('NO_COLOR', undefined);
    vi.stubEnv('TERM', 'dumb');
    expect(dim('x', new FakeSink(true))).toBe('x');
  });
});
