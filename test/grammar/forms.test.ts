import { describe, expect, it } from 'vitest';
import { compileGrammar, type Grammar } from '../../src/grammar/index.js';
import { choice, free, json, marker, optional, repeat, sequence, text, white } from '../../src/grammar/grammar.js';
import type { TokenVocabulary } from '../../src/tokenizer/vocabulary.js';
import { allowedIds, awkward, takes } from './vocabularies.js';

const fits = (grammar: Grammar, value: string): boolean =>
  takes(compileGrammar(grammar, awkward).create(), awkward, value);
const check = (grammar: Grammar, good: readonly string[], bad: readonly string[]): void => {
  for (const value of good) expect(fits(grammar, value), `takes ${value}`).toBe(true);
  for (const value of bad) expect(fits(grammar, value), `refuses ${value}`).toBe(false);
};

describe('forms of text', () => {
  it('patterns match a text as a whole, as it is', () => {
    check(
      { kind: 'pattern', source: '\\d{3}-"[a-z]+"|no' },
      ['123-"ab"', 'no'],
      ['123-"ab" ', 'x123-"ab"', '12-"a"', 'not'],
    );
    check({ kind: 'pattern', source: '^(?=.*x)[^\\n]*$' }, ['axb', 'x'], ['ab', 'x\n']);
    check({ kind: 'pattern', source: '.*' }, ['', 'é😀"\\'], ['\n']);
  });

  it('one of several texts', () => {
    check(choice(text('yes'), text('yes, sir'), text('né')), ['yes', 'yes, sir', 'né'], ['', 'ye', 'yes,', 'n']);
  });

  it('what is free ends at a marker, and what follows is bound', () => {
    const grammar = choice(free('<x>'), sequence(free('<x>'), marker('<x>'), json({ const: 7 }), text('!')));
    check(grammar, ['', 'any < <x <<<y', 'so <x>7!', '<x> 7!'], ['<x>', 'so <x>8!', '<x>7!!', '<x>7', '<<x>']);
  });

  it('what begins otherwise is free', () => {
    const begins = sequence(white(), text('{'), white(), text('"name"'));
    const grammar = choice({ kind: 'otherwise', begins }, sequence(begins, text(':1}')));
    check(grammar, ['', '{"nam', '{"a": 1}', 'x{"name"', ' {\n"name":1}'], ['{"name"', '{"name":2}', ' { "name" ']);
  });

  it('parts that may repeat', () => {
    check(
      sequence(repeat(text('ab'), 1, 2), optional(text('c')), white(2)),
      ['ab', 'ababc \n'],
      ['', 'ababab', 'abc   '],
    );
  });

  it('arguments in Python’s words', () => {
    const schema = {
      type: 'object',
      properties: {
        a: { type: 'integer' },
        b: { type: ['boolean', 'null'] },
        c: { type: 'array', items: { enum: ['x', true] } },
      },
      required: ['a'],
    };
    check(
      { kind: 'keywords', schema },
      ['a=1', 'a=-2, b=None', 'a=1, b=True, c=["x", True]'],
      ['', 'b=True', 'a=1, b=true', 'a="1"', 'a=1,'],
    );
    check({ kind: 'keywords', schema: { type: 'object', properties: {} } }, [''], ['a=1']);
    expect(() => fits({ kind: 'keywords', schema: { type: 'object', properties: { 'a-b': {} } } }, '')).toThrow(
      /a-b.*no name in Python/,
    );
  });

  it('a special token is told from the text like it', () => {
    const name = '<call>';
    const special = awkward.size;
    const vocabulary: TokenVocabulary = {
      size: awkward.size + 1,
      eosIds: awkward.eosIds,
      bytes: (id) => (id === special ? undefined : awkward.bytes(id)),
      special: (id) => (id === special ? name : undefined),
    };
    const start = (grammar: Grammar) => compileGrammar(grammar, vocabulary).create();
    expect(allowedIds(start(json()))).not.toContain(special);
    expect(allowedIds(start(text(name)))).not.toContain(special);
    const opened = start(sequence(marker(name), text('a')));
    expect(allowedIds(opened)).toContain(special);
    opened.accept(special);
    expect(allowedIds(opened).map((id) => Buffer.from(awkward.bytes(id) ?? []).toString())).toEqual(['a']);
    const later = start(choice(free(name), sequence(free(name), marker(name), text('a'))));
    expect(allowedIds(later)).toContain(special);
    later.accept(special);
    expect(allowedIds(later)).toHaveLength(1);
    expect(takes(start(sequence(marker(name), text('a'))), vocabulary, '<call>a')).toBe(true);
  });
});

describe('rules in GBNF', () => {
  const rules = (source: string): Grammar => ({ kind: 'gbnf', source });

  it('are texts, classes, groups, repetitions and other rules', () => {
    check(
      rules(`# a list
        root ::= item (", " item)*  # some
        item ::= [a-c]+ | "\\"" [^"\\\\]{0,2} "\\"" |
          num
        num ::= "-"? [0-9]{2} "\\x21" .`),
      ['a', 'ab, "é", -12!x', '""', '34!\n'],
      ['', 'd', 'a,b', '"abc"', '1!x', '123!x', '-12!'],
    );
  });

  it('may lead to themselves', () => {
    check(rules('root ::= "(" root ")" | "x"'), ['x', '((((x))))'], ['(x', '()']);
    check(rules('root ::= expr\nexpr ::= term | expr "+" term\nterm ::= [0-9]'), ['1', '1+2+3'], ['+', '1+']);
  });

  it.each([
    ['a ::= "x"', /no rule "root"/],
    ['root ::= b', /no rule b/],
    ['root ::= "x', /line 1: a text has no end/],
    ['root ::= "x"\n\nroot ::= "y"', /line 3: the rule root is there twice/],
    ['root := "x"', /line 1: expected "::="/],
    ['root ::= ("x"', /line 1: expected "\)"/],
    ['root ::= [z-a]', /ends before it begins/],
    ['root ::= "\\q"', /\\q is no escape/],
    ['root ::= "x" root', /no text of at most 32/],
    ['root ::= "x" )', /line 1: expected the name/],
    [`root ::= ${'('.repeat(100)}`, /more than 64 groups/],
  ] as const)('%s is refused', (source, message) => {
    expect(() => fits(rules(source), '')).toThrow(message);
  });
});
