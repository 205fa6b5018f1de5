import { describe, expect, it } from 'vitest';
import { ConstraintMaker } from '../../src/grammar/constraint-maker.js';
import type { ConstraintDescription } from '../../src/grammar/description.js';
import { compileGrammar } from '../../src/grammar/index.js';
import type { TokenConstraint } from '../../src/grammar/token-constraint.js';
import { TokenPath } from '../../src/grammar/token-path.js';
import { TokenRules } from '../../src/grammar/token-rules.js';

/** A byte a token, and an end. */
const vocabulary = {
  size: 257,
  bytes: (id: number) => (id < 256 ? Uint8Array.of(id) : undefined),
  eosIds: [256],
};
const ids = (text: string): number[] => [...new TextEncoder().encode(text)];

describe('constraints made anew of what they say they are', () => {
  const pattern = (): TokenConstraint =>
    compileGrammar({ kind: 'pattern', source: '[a-c]+[0-9]' }, vocabulary).create();
  it.each<[string, () => TokenConstraint, number[]]>([
    ['a form', pattern, ids('abca1')],
    ['rules', () => new TokenRules({ allowed: ids('abc'), never: [ids('ab'), ids('c')] }, 257, undefined), ids('bba')],
    ['rules above a form', () => new TokenRules({ never: [ids('ab')] }, 257, pattern()), ids('acb2')],
    ['a path', () => new TokenPath(ids('hello'), 257), ids('ello')],
  ])('%s: lets the same tokens through', (_name, make, way) => {
    const one = make();
    const described = JSON.parse(JSON.stringify(one.description)) as ConstraintDescription;
    const maker = new ConstraintMaker(vocabulary);
    const [other, third] = [maker.make(described), maker.make(described)];
    for (const id of way) {
      const mask = one.allowed().slice();
      expect((mask[id >> 5] >>> (id & 31)) & 1).toBe(1);
      expect(other.allowed()).toEqual(mask);
      one.accept(id);
      other.accept(id);
    }
    expect(other.allowed()).toEqual(one.allowed());
    expect(third.allowed(), 'one of its own').toEqual(make().allowed());
  });

  it('of one that cannot say, rules cannot either', () => {
    const own = { allowed: () => new Uint32Array(9), accept: () => undefined };
    expect(new TokenRules({ never: [] }, 257, own).description).toBeUndefined();
  });
});
