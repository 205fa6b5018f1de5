import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImportFlags } from '../../src/cli/commands/import/command.js';
import { importCommand } from '../../src/cli/commands/import/run.js';
import { ledgerRows } from '../../src/cli/commands/ledger/run.js';
import { readTextFile, textOf } from '../../src/cli/text-file.js';

const folder = mkdtempSync(join(tmpdir(), 'ridgepoint-text-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('text files', () => {
  const text = 'é one\n<|end|>\ntwo 😀\n';
  const windows = text.replaceAll('\n', '\r\n');

  it.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['CRLF', Buffer.from(windows)],
    ['carriage returns alone', Buffer.from(text.replaceAll('\n', '\r'))],
    ['UTF-16, little end first', Buffer.from(`\ufeff${windows}`, 'utf16le')],
    ['UTF-16, big end first', Buffer.from(`\ufeff${text}`, 'utf16le').swap16()],
  ])('%s is read', async (name, bytes) => {
    expect(textOf(bytes, name)).toBe(text);
    const path = join(folder, name);
    writeFileSync(path, bytes);
    expect(await readTextFile(path)).toBe(text);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['Latin-1', Buffer.from('café', 'latin1'), /^Latin-1: is not UTF-8 text; convert it/],
    ['half a UTF-16', Buffer.from([0xff, 0xfe, 0x00, 0xd8]), /is damaged UTF-16/],
    ['UTF-32', Buffer.from([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]), /is UTF-32 text; convert it/],
    ['UTF-16 cut in a unit', Buffer.from([0xff, 0xfe, 0x61]), /is damaged UTF-16/],
    ['UTF-8 cut in a character', Buffer.from('é').subarray(0, 1), /is not UTF-8 text/],
    ['UTF-16 without a mark', Buffer.from('abc', 'utf16le'), /holds zero bytes and is no text; convert it/],
  ])('%s is refused', (name, bytes, message) => {
    expect(() => textOf(bytes, name)).toThrow(message);
  });

  it('says what is wrong with a path', async () => {
    await expect(readTextFile(join(folder, 'none'), '--trace none')).rejects.toThrow(
      '--trace none: there is no such file',
    );
    await expect(readTextFile(folder)).rejects.toThrow('it is a folder');
  });

  it('and so do the commands whose files are rows and results', async () => {
    const flags = { device: 'h100', model: 'llama-2-7b', engine: 'x', engineVersion: '1' } as ImportFlags;
    for (const [path, why] of [
      [join(folder, 'none'), 'there is no such file'],
      [folder, 'it is a folder'],
    ]) {
      await expect(importCommand(path, flags)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining(why) as string,
      });
      await expect(ledgerRows(path)).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining(why) as string,
      });
    }
  });

  it('leaves a carriage return inside of a line', () => {
    expect(textOf(Buffer.from('10 %\r20 %\n'), 'x')).toBe('10 %\r20 %\n');
  });
});
