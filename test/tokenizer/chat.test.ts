import { describe, expect, it } from 'vitest';
import { RidgepointError } from '../../src/errors.js';
import { chatText, encodeChat, renderChat, type ChatTurn } from '../../src/tokenizer/chat.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { byteLevel, llama2, readJson, tinyTales } from './folders.js';

const conversation: ChatTurn[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hello!' },
  { role: 'assistant', content: 'Hi.' },
  { role: 'user', content: 'Who are you?' },
];

/** In the manner of Llama 2's own: it writes BOS itself and insists on the order of the turns. */
const strict = `{% for message in messages %}
{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
{{ raise_exception('Conversation roles must alternate user/assistant/...') }}
{% endif %}
{{ bos_token + '[' + message['role'] + '] ' + message['content'] | trim + ' ' + eos_token }}
{%- endfor %}`;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RidgepointError) return `${error.code}: ${error.message}`;
  }
  return 'nothing';
}

describe('chat templates', () => {
  it.skipIf(!llama2)('renders the template of the llama-2 folder (skipped without ../shared/data)', () => {
    const { tokenizer } = llama2!;
    const expected =
      '<|system|>\nBe brief.</s>\n<|user|>\nHello!</s>\n<|assistant|>\nHi.</s>\n<|user|>\nWho are you?</s>\n';
    const render = (addGenerationPrompt: boolean): string =>
      renderChat(tokenizer.chatTemplate!, conversation, { bosToken: '<s>', eosToken: '</s>', addGenerationPrompt });
    expect(render(false)).toBe(expected);
    expect(render(true)).toBe(`${expected}<|assistant|>\n`);
    const ids = encodeChat(tokenizer, conversation);
    expect(ids.filter((id) => id === 2)).toHaveLength(4);
    expect(ids).not.toContain(1); // this template writes no BOS, and transformers adds none
    // each </s> is a token of its own, so the text after it begins with the blank that the encoder puts in front
    expect(tokenizer.decode(ids, { skipSpecialTokens: false })).toBe(render(true).replaceAll('</s>\n', '</s> \n'));
  });

  it('gives one BOS where the template writes it', () => {
    const config = { ...(readJson('models/tiny-tales/tokenizer_config.json') as object), chat_template: strict };
    const tokenizer = Tokenizer.fromJson(readJson('models/tiny-tales/tokenizer.json'), config);
    const ids = encodeChat(tokenizer, [{ role: 'user', content: ' Hi ' }]);
    expect(ids[0]).toBe(1);
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    expect(ids.at(-1)).toBe(2);
    const text = renderChat(strict, [{ role: 'user', content: ' Hi ' }], { bosToken: '<s>', eosToken: '</s>' });
    expect(text).toBe('<s>[user] Hi </s>');
    expect(tokenizer.encode(text)).toEqual(ids);
  });

  it('passes on why a template refuses messages', () => {
    expect(codeOf(() => renderChat(strict, conversation))).toBe(
      "prompt: The model's chat template does not accept these messages: Conversation roles must alternate user/assistant/...",
    );
  });

  it('says that a template is faulty', () => {
    expect(codeOf(() => renderChat('{% for x in %}', conversation))).toMatch(
      /^checkpoint: The model's chat template is not valid/,
    );
    expect(codeOf(() => renderChat('{{ messages | sing }}', conversation))).toMatch(/^prompt: .*sing/);
    expect(codeOf(() => encodeChat(tinyTales.tokenizer, conversation))).toMatch(
      /^prompt: The model has no chat template/,
    );
  });

  it.each([
    [
      'a text that doubles',
      '{% set ns = namespace(s="ab") %}{% for i in range(60) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}',
      'it makes more than memory can hold.',
    ],
    ['an indentation', '{{ messages[0].content | indent(1000000000) }}\n', 'it makes more than memory can hold.'],
    [
      'a long loop',
      '{% for i in range(100000000) %}x{% endfor %}',
      'its calls of range make more than 100000 numbers.',
    ],
    [
      'loops in loops',
      '{% for i in range(3000) %}{% for j in range(3000) %}{% endfor %}{% endfor %}',
      'its calls of range make more than 100000 numbers.',
    ],
  ])('ends %s in words', (_, template, problem) => {
    expect(codeOf(() => renderChat(template, [{ role: 'user', content: 'a\nb' }]))).toBe(
      `prompt: The model's chat template does not accept these messages: ${problem}`,
    );
  });

  it('finds the template wherever a folder keeps it', () => {
    const json = readJson('models/tiny-tales/tokenizer.json');
    const found = (chat_template: unknown, chatTemplate?: string): string | undefined =>
      Tokenizer.fromJson(json, { chat_template }, { chatTemplate }).chatTemplate;
    expect(found('A')).toBe('A');
    const named = [{ name: 'tool_use', template: 'T' }, { name: 'default', template: 'D' }]; // prettier-ignore
    expect(found(named)).toBe('D');
    expect(found(named.slice(0, 1))).toBe('T');
    expect(found({ tool_use: 'T', default: 'D' })).toBe('D');
    expect(found('A', 'from the file')).toBe('from the file');
    expect(found(undefined)).toBeUndefined();
    expect(byteLevel.tokenizer.chatTemplate).toBeUndefined();
  });

  it('has a template of its own for tools where the folder names one', () => {
    const chat_template = [{ name: 'default', template: 'D' }, { name: 'tool_use', template: 'T{{ tools | length }}' }]; // prettier-ignore
    const tokenizer = Tokenizer.fromJson(readJson('models/tiny-tales/tokenizer.json'), { chat_template });
    const tools = [{ type: 'function', function: { name: 'f' } }];
    expect(chatText(tokenizer, conversation)).toBe('D');
    expect(chatText(tokenizer, conversation, { tools: [] })).toBe('D');
    expect(chatText(tokenizer, conversation, { tools })).toBe('T1');
  });

  it('cuts lists and texts with bounds left out', () => {
    const cut = (from: string): string => `{% for m in messages${from} %}{{ m.role[:1] }}{% endfor %}`;
    expect(['[1:]', '[:-1]', '[::2]', '[::-1]', '[-2:]'].map((from) => renderChat(cut(from), conversation))).toEqual(
      ['uau', 'sua', 'sa', 'uaus', 'au'], // prettier-ignore
    );
  });

  it('finds items without an attribute, and leaves them as they are', () => {
    const each = (filter: string): string =>
      `{%- for m in messages | ${filter} -%}[{{ m.role }}{{ 'x' in m }}{{ m.x is defined }}]{%- endfor -%}`;
    const two = [{ role: 'user', content: 'a' }, { role: 'assistant', content: 'b' }]; // prettier-ignore
    const all = '[userFalseFalse][assistantFalseFalse]';
    expect(renderChat(each("selectattr('x', 'undefined')"), two)).toBe(all.replaceAll(/'x' in m/g, ''));
    expect(renderChat(each("rejectattr('x', 'defined')"), two)).toBe(all);
    expect(renderChat(each("selectattr('x', 'defined')"), two)).toBe('');
    expect(renderChat(each("selectattr('role', 'equalto', 'user')"), two)).toBe('[userFalseFalse]');
  });
});
