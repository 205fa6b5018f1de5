import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { strftime } from '../../src/tokenizer/jinja/strftime.js';
import { Template } from '../../src/tokenizer/jinja/template.js';
import { repositoryPath } from '../reference/load.js';

/** What jinja2 3.1.6 makes of templates under transformers' settings: made by hand, and at random of their parts. */
const recorded = JSON.parse(readFileSync(repositoryPath('test/tokenizer/jinja-expected.json'), 'utf8')) as {
  readonly rendered: readonly (readonly [template: string, text: string])[];
  readonly refused: readonly string[];
};

const call = { id: 'a1', type: 'function', function: { name: 'f', arguments: { x: 1, y: [2.5, null, true], z: 'é' } } };
const properties = { x: { type: 'integer' }, a: { type: 'string', enum: ['p', 'q'] } };
const parameters = { type: 'object', properties, required: ['x'] };
const variables = {
  messages: [
    { role: 'system', content: ' Be  nice.\n' },
    { role: 'user', content: 'Hi <b> & "q" \'s\' é 🙂\n\tx' },
    { role: 'assistant', content: '', tool_calls: [call] },
    { role: 'tool', content: '{"r": 5}', tool_call_id: 'a1', name: 'f' },
    { role: 'user', content: 'bye' },
  ],
  tools: [{ type: 'function', function: { name: 'f', description: 'd', parameters } }],
  documents: null,
  bos_token: '<s>',
  eos_token: '</s>',
  add_generation_prompt: true,
};
const render = (template: string, more: object = {}): string =>
  new Template(template).render({ ...variables, ...more });

function outcome(template: string): string | undefined {
  try {
    return render(template);
  } catch {
    return undefined;
  }
}

describe('Jinja', () => {
  it('writes what jinja2 writes', () => {
    expect(recorded.rendered.length).toBeGreaterThan(500);
    const wrong = recorded.rendered.map(([template, text]) => ({ template, text, got: outcome(template) }));
    expect(wrong.filter(({ text, got }) => text !== got)).toEqual([]);
  });

  it('refuses what jinja2 refuses', () => {
    expect(recorded.refused.length).toBeGreaterThan(50);
    expect(recorded.refused.filter((template) => outcome(template) !== undefined)).toEqual([]);
  });

  it('leaves the marks of generated text out, as transformers does', () => {
    expect(render('{% generation %}\na{% endgeneration %}')).toBe('a');
  });

  it.each([
    ['{{ messages[9].role }}', 'list object has no element 9'],
    ['{{ messages[0].nope.x }}', "'dict object' has no attribute 'nope'"],
    ['{{ nope.x }}', "'nope' is undefined"],
    ["{{ '1' + 1 }}", "unsupported operand type(s) for +: 'str' and 'int'"],
    ['{{ messages.append(1) }}', '"append" would change a list, which a template may not'],
    ['{% if true %}x', '"endif" is missing, in line 1'],
    ['a\n{{ 1 + }}', 'an expression is missing, in line 2'],
    ['a\n\n{% include "x" %}', 'the tag "include" is unknown, in line 3'],
    ['{{ (1 }}', '"}" closes nothing, in line 1'],
    ['{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', 'Maximum call stack size exceeded'],
    [
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x * 9 %}{% endfor %}",
      'Invalid string length',
    ],
  ])('says what is wrong with %s', (template, message) => {
    expect(() => render(template)).toThrow(message);
  });

  it('writes dates as Python does', () => {
    const date = new Date(2024, 1, 5, 15, 4, 9);
    expect(strftime('%d %b %Y|%A %B %-d|%y-%m|%H:%M:%S %I %p|%j|%a|%e|%F %T|%%|%Q|%U %W %w', date)).toBe(
      '05 Feb 2024|Monday February 5|24-02|15:04:09 03 PM|036|Mon| 5|2024-02-05 15:04:09|%|%Q|05 06 1',
    );
  });
});
