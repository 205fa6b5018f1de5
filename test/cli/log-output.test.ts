import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { keepSecret } from '../../src/platform/node/secrets.js';
import { LogOutput, standardOutput } from '../../src/cli/terminal/log-output.js';
import { Scratch } from './support.js';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const failing = (code: string): Error => Object.assign(new Error(code), { code });
const line = (n: number): string => `{"n":${n}}\n`;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A place that takes what it is told to: bytes at a time, or fails. */
class Place {
  text = '';
  room: number | string = Infinity;

  write(bytes: Buffer): number {
    if (typeof this.room === 'string') throw failing(this.room);
    if (this.room === 0) throw failing('EAGAIN');
    const taken = Math.min(this.room, bytes.length);
    this.text += bytes.toString('utf8', 0, taken);
    this.room -= taken;
    return taken;
  }
}

describe('a log', () => {
  it('leaves out lines while there is no place, and says how many when there is', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'EIO', 'EPIPE']) {
      const place = new Place();
      const reasons: string[] = [];
      const log = new LogOutput((reason) => reasons.push(reason), place);
      log.write(line(1));
      place.room = code;
      for (let n = 2; n < 6; n++) log.write(line(n));
      place.room = Infinity;
      log.write(line(6));
      const lines = place.text.trimEnd().split('\n');
      expect(lines).toHaveLength(3);
      expect(JSON.parse(lines[1])).toMatchObject({ level: 40, msg: '4 lines of this log were left out' });
      expect([lines[0], lines[2]]).toEqual(['{"n":1}', '{"n":6}']);
      expect(reasons).toEqual([code]);
    }
  });

  it('begins a line of its own behind one that was cut in two', () => {
    const place = new Place();
    const log = new LogOutput(() => undefined, place);
    place.room = 4;
    const full = place.write.bind(place);
    place.write = (bytes) => (place.room === 0 ? Place.prototype.write.call({ room: 'ENOSPC' }, bytes) : full(bytes));
    log.write(line(1));
    place.write = full;
    place.room = Infinity;
    log.write(line(2));
    const lines = place.text.trimEnd().split('\n');
    expect(lines[0]).toBe('{"n"');
    expect(lines.slice(1).map((each) => JSON.parse(each) as object)).toEqual([
      expect.objectContaining({ msg: '1 lines of this log were left out' }),
      { n: 2 },
    ]);
  });

  it('holds no secret that is known', () => {
    const place = new Place();
    place.room = Infinity;
    keepSecret('a key of somebody');
    new LogOutput(() => undefined, place).write('{"err":"a key of somebody"}\n');
    expect(place.text).toBe('{"err":"***"}\n');
  });

  it('waits for a slow reader without holding anybody up, up to a megabyte', async () => {
    const place = new Place();
    const reasons: string[] = [];
    const log = new LogOutput((reason) => reasons.push(reason), place);
    place.room = 11;
    for (let n = 0; n < 4; n++) log.write(line(n));
    expect(place.text).toBe(line(0) + line(1).slice(0, 3));
    place.room = Infinity;
    while (!place.text.endsWith(line(3))) await pause(10);
    expect(place.text).toBe([0, 1, 2, 3].map(line).join(''));
    place.room = 0;
    const long = `{"x":"${'y'.repeat(99_990)}"}\n`;
    for (let n = 0; n < 12; n++) log.write(long);
    expect(reasons).toEqual(['its reader takes nothing']);
  });

  it.skipIf(process.platform !== 'linux' || spawnSync('mkfifo', ['--version']).status !== 0)(
    'never waits at a pipe that nobody empties',
    () => {
      const pipe = join(scratch.path, 'pipe');
      spawnSync('mkfifo', [pipe]);
      const reader = spawn('sleep', ['60'], { stdio: [openSync(pipe, 'r+'), 'ignore', 'ignore'] });
      const descriptor = openSync(pipe, 'r+');
      const log = new LogOutput(() => undefined, standardOutput(descriptor));
      const line = `{"x":"${'y'.repeat(100)}"}\n`;
      expect(() => Array.from({ length: 3000 }, () => log.write(line))).not.toThrow();
      reader.kill();
      closeSync(descriptor);
    },
  );
});
