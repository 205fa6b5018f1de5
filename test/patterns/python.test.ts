import { describe, expect, it } from 'vitest';
import { beginsWith } from '../../src/patterns/begins-with.js';
import { pythonPattern } from '../../src/patterns/python.js';

const NAMES = [
  'model.layers.0.mlp.down_proj',
  'model.layers.10.self_attn.q_proj',
  'lm_head',
  'model.layers.1.mlp.up_proj',
  'a-b_c{1}]',
  `${'a'.repeat(40)}!`,
  'model.embed tokens\n',
];

/** Which of the names `re.match` of Python 3 finds each pattern in, as 1 and 0. */
const FOUND: [string, string][] = [
  ['.*\\.(0|1)\\..*', '1001000'],
  ['(a|aa)+$', '0000000'],
  ['(.+)+#x', '0000000'],
  ['model\\.layers\\.(?P<i>[0-9]|1[0-1])\\.mlp', '1001000'],
  ['lm\\_head', '0010000'],
  ['a\\-b_c{1}]', '0000000'],
  ['[]a-]+b', '0000100'],
  ['(?i)MODEL\\.LAYERS', '1101000'],
  ['.*q_proj\\Z', '0100000'],
  ['\\Amodel', '1101001'],
  ['(?:(?!self_attn).)*proj$', '1001000'],
  ['(?#all)model', '1101001'],
  ['lm_hea\\x64', '0010000'],
  ['.*[^\\W\\d]{2}_proj', '1001000'],
  ['.*(?<=up)_', '0001000'],
  ['a{,3}a{37}!', '0000010'],
  ['', '1111111'],
  ['down_proj', '0000000'],
  ['[\\w.]+\\.10\\b', '0100000'],
  ['(?s)model.*n\\s', '0000000'],
  ['.*tokens\\Z', '0000000'],
  ['.*tokens$', '0000001'],
  ['[\\[\\]a^]+\\-b', '0000100'],
  ['\\u006c\\155_', '0010000'],
  ['x*?l', '0010000'],
  ['[^]m]*l', '0010000'],
  ['\\{|a{}|m', '1101001'],
];

describe('patterns of Python', () => {
  it.each(FOUND)('%s fits the names that Python finds', (source, found) => {
    const fits = beginsWith(pythonPattern(source));
    expect(NAMES.map((name) => Number(fits(name))).join('')).toBe(found);
  });

  it.each([
    ['a\\q', /Python knows no "\\q"/],
    ['(', /Invalid regular expression/],
    ['[a', /a set has no end/],
    ['a\\', /it ends behind/],
    ['a**', /Nothing to repeat|Invalid regular expression/],
    ['(?x)a', /the flag "x"/],
    ['(a)\\1', /refers back/],
    ['(?>a)', /kind of group/],
    ['(?:a{1,1000}){1,1000}', /more than 8192 parts/],
  ])('%s is refused', (source, message) => {
    expect(() => beginsWith(pythonPattern(source))).toThrow(message);
  });
});
