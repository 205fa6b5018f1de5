import { describe, expect, it } from 'vitest';
import { composeShader, type Defines } from '../../src/gpu/shader-source.js';

/** Composes `main.wgsl` of some files, without blank lines. */
function compose(files: Record<string, string>, defines: Defines = {}): string[] {
  const read = (path: string): string => {
    if (files[path] === undefined) throw new Error(`no such file: ${path}`);
    return files[path];
  };
  return composeShader('main.wgsl', defines, read).split('\n').filter(Boolean);
}

const one = (text: string, defines: Defines = {}): string[] => compose({ 'main.wgsl': text }, defines);

describe('composeShader', () => {
  it('keeps the lines of the branch that holds', () => {
    const text = 'a\n//#if x\nb\n//#elif y\nc\n//#else\nd\n//#endif\ne';
    expect(one(text, { x: true, y: true })).toEqual(['a', 'b', 'e']);
    expect(one(text, { x: false, y: true })).toEqual(['a', 'c', 'e']);
    expect(one(text, { x: false, y: false })).toEqual(['a', 'd', 'e']);
    expect(one('//#if !x\nb\n//#endif', { x: false })).toEqual(['b']);
    expect(one('  //#if !x  \nb\n\t//#endif', { x: true })).toEqual([]);
    expect(one('//#if x\nb\n//#elif y\nc\n//#elif z\nd\n//#endif', { x: false, y: true, z: true })).toEqual(['c']);
  });

  it('nests conditions: an inner branch needs every outer one', () => {
    const text = '//#if x\n//#if y\nxy\n//#else\nx\n//#endif\n//#else\n//#if y\ny\n//#else\nnone\n//#endif\n//#endif';
    expect(one(text, { x: true, y: true })).toEqual(['xy']);
    expect(one(text, { x: true, y: false })).toEqual(['x']);
    expect(one(text, { x: false, y: true })).toEqual(['y']);
    expect(one(text, { x: false, y: false })).toEqual(['none']);
  });

  it('does not ask for defines in branches that are left out', () => {
    expect(one('//#if x\n//#if unknown\na\n//#endif\n//#endif', { x: false })).toEqual([]);
  });

  it('includes a file once, wherever it is asked for, and under the same defines', () => {
    const files = {
      'main.wgsl': '//#include common/a.wgsl\n//#include common/b.wgsl\nmain',
      'common/a.wgsl': 'a\n//#include common/b.wgsl',
      'common/b.wgsl': '//#if x\nb\n//#endif',
    };
    expect(compose(files, { x: true })).toEqual(['a', 'b', 'main']);
    expect(compose(files, { x: false })).toEqual(['a', 'main']);
    expect(compose({ 'main.wgsl': '//#if x\n//#include absent.wgsl\n//#endif' }, { x: false })).toEqual([]);
    expect(() => compose({ 'main.wgsl': '//#include absent.wgsl' })).toThrow('no such file: absent.wgsl');
  });

  it('puts extensions first, each once, then constants, then the rest', () => {
    const files = {
      'main.wgsl': 'fn main() {}\n//#include f.wgsl\n//#if x\nenable subgroups;\n//#endif',
      'f.wgsl': 'enable f16;\n  enable subgroups;\nenable f16;\ndiagnostic(off, subgroup_uniformity);\nfn f() {}',
    };
    const lines = compose(files, { x: true, WG: 64, SCALE: 0.5 });
    expect(lines.slice(0, 4).map((line) => line.split(/[ (]/).filter(Boolean)[0])).not.toContain('fn');
    expect(lines.filter((line) => line === 'enable f16;')).toHaveLength(1);
    expect(lines.slice(-4)).toEqual(['const WG: u32 = 64u;', 'const SCALE: f32 = 0.5;', 'fn main() {}', 'fn f() {}']);
  });

  it('repeats lines by a numeric define, numbers in place of the variable', () => {
    const rest = (text: string, defines: Defines): string[] =>
      one(text, defines).filter((line) => !line.startsWith('const'));
    const grid = '//#repeat i ROWS\nrow $i$\n//#repeat j COLS\nsum_$i$_$j$ = $k$;\n//#endrepeat\n//#endrepeat\nend';
    const sums = ['row 0', 'sum_0_0 = $k$;', 'sum_0_1 = $k$;', 'row 1', 'sum_1_0 = $k$;', 'sum_1_1 = $k$;', 'end'];
    expect(rest(grid, { ROWS: 2, COLS: 2 })).toEqual(sums);
    expect(rest(grid, { ROWS: 1, COLS: 0 })).toEqual(['row 0', 'end']);
    const inside =
      '//#repeat i N\n//#if x\na$i$\n//#endif\n//#endrepeat\n//#if x\n//#else\n//#repeat i M\nb\n//#endrepeat\n//#endif';
    expect(rest(inside, { N: 2, x: true })).toEqual(['a0', 'a1']);
  });

  it('leaves comments and look-alikes alone', () => {
    const text = '// #if x\n//# if x\n//#ifx\n//#pragma\na // about //#if x';
    expect(one(text)).toEqual(text.split('\n'));
  });

  it.each([
    ['#elif without #if', 'a\n//#elif x', 2],
    ['#else without #if', '//#else', 1],
    ['#endif without #if', '//#if x\n//#endif\n//#endif', 3],
    ['#if without #endif', 'a\n//#if x\nb', 3],
    ['"y" is not defined for this variant', '//#if x\n//#if y\n//#endif\n//#endif', 2],
    ['"z" is not defined for this variant', '//#if !z\n//#endif', 1],
    ['#repeat without #endrepeat', '//#repeat i N\na', 2],
    ['#endrepeat without #repeat', 'a\n//#endrepeat', 2],
    ['#endrepeat without #repeat', '//#repeat i N\n//#if x\n//#endrepeat\n//#endif', 3],
    ['#endif inside a #repeat that began before it', '//#if x\n//#repeat i N\n//#endif\n//#endrepeat', 3],
    ['"x" is not a number defined for this variant', '//#repeat i x\n//#endrepeat', 1],
  ])('names file and line: %s', (message, text, line) => {
    expect(() => one(text, { x: true, N: 2 })).toThrow(`shaders/main.wgsl:${line}: ${message}`);
    const included = { 'main.wgsl': '\n//#include common/a.wgsl', 'common/a.wgsl': text };
    expect(() => compose(included, { x: true, N: 2 })).toThrow(`shaders/common/a.wgsl:${line}: ${message}`);
  });
});
