import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adapters } from '../support/adapters.js';
import { chosen } from '../support/scale.js';
import { build, cli, Scratch } from './support.js';

const scratch = new Scratch();
beforeAll(build);
afterAll(() => scratch.remove());

// A folder cannot be made below a file.
const blocked = join(scratch.file('file', 'content'), 'result');
const result = join('bench', 'results', 'swiftshader_5.0.0_2026-11-21', 'bench-tiny-tales.json');
// There is no such model, or adapter: who looked for it first would say so.
const absent = ['--model', join(scratch.path, 'nowhere')];

describe('a file that cannot be written is found out before any work', () => {
  const cases: [string[], NodeJS.ProcessEnv?][] = [
    [['bench', ...absent, '--output', blocked]],
    [['bench', ...absent], { XDG_CACHE_HOME: blocked }],
    [['bench', 'serve', ...absent, '--output', blocked]],
    [['bench', 'serve', ...absent, '--svg', blocked]],
    [['bench', 'serve', ...absent, '--scenario', 'long-prompt', '--output', blocked]],
    [['bench', 'kernels', ...absent, '--output', blocked]],
    [['profile', ...absent, '--output', blocked]],
    [['tune', ...absent, '--adapter', adapters[0]], { XDG_CACHE_HOME: blocked }],
    [['calibrate', '--adapter', 'Voodoo 2', '--output', blocked]],
    [['calibrate', '--adapter', 'Voodoo 2'], { XDG_CACHE_HOME: blocked }],
    [['quantize', join(scratch.path, 'nowhere'), blocked, '--dtype', 'int4']],
    [['compare', result, '--report', blocked]],
    [['compare', result, '--svg', blocked]],
    [['compare', result, '--png', blocked]],
  ];
  it.each(chosen(cases, (_, i) => i % 3 === 1))('%j', async (args, env) => {
    const { code, stdout, stderr } = await cli(args, { env });
    expect({ code, stdout }, stderr).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^ridgepoint: .*file.*: cannot be written: [^\n]*\n$/);
  });

  it('leaves nothing of a model that is not saved', async () => {
    const folder = join(scratch.path, 'never');
    const { code } = await cli(['quantize', join(scratch.path, 'nowhere'), folder, '--dtype', 'int4']);
    expect([code, existsSync(folder)]).toEqual([1, false]);
  });
});
