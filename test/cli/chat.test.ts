import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PlainDialogue, TemplateDialogue } from '../../src/cli/commands/chat/dialogue.js';
import type { ChatMessage, TextEngine } from '../../src/engine/api.js';
import { adapters } from '../support/adapters.js';
import { isFull } from '../support/scale.js';
import { build, cli, generateJson, Scratch, withKeys } from './support.js';

/** An engine that makes an id of each character. */
const engine = (contextLength: number) => {
  const encode = (text: string) => Array.from(text, (character) => character.codePointAt(0)!);
  return {
    info: { contextLength },
    tokenize: encode,
    chatPrompt: (messages: readonly ChatMessage[]) =>
      encode(messages.map(({ role, content }) => `${role[0]}:${content};`).join('')),
  } as unknown as TextEngine;
};
const textOf = ({ prompt }: { prompt: unknown }) => String.fromCodePoint(...(prompt as number[]));

describe('a conversation', () => {
  it('sends all turns, and forgets one that got no reply', () => {
    const dialogue = new TemplateDialogue(engine(1000), 'brief', undefined);
    expect(textOf(dialogue.ask('hi'))).toBe('s:brief;u:hi;');
    dialogue.keep({ text: 'hello', finishReason: 'eos' });
    dialogue.ask('lost');
    expect(textOf(dialogue.ask('bye'))).toBe('s:brief;u:hi;a:hello;u:bye;');
    dialogue.reset();
    expect(textOf(dialogue.ask('new'))).toBe('s:brief;u:new;');
  });

  it('drops the oldest turns, never the system message, to leave room for a reply', () => {
    const dialogue = new TemplateDialogue(engine(56), 'sys', 20);
    for (const line of ['one', 'two', 'three']) {
      dialogue.ask(line);
      dialogue.keep({ text: 'reply', finishReason: 'eos' });
    }
    const { prompt, dropped } = dialogue.ask('four');
    expect(textOf({ prompt })).toBe('s:sys;u:three;a:reply;u:four;');
    expect(dropped).toBe(2);
  });

  it('in plain text is one text, until the model ends it', () => {
    const dialogue = new PlainDialogue(engine(1000), undefined);
    dialogue.ask('Once');
    dialogue.keep({ text: ' upon', finishReason: 'length' });
    expect(textOf(dialogue.ask('Then'))).toBe('Once upon\nThen');
    dialogue.keep({ text: ' the end.', finishReason: 'eos' });
    expect(textOf(dialogue.ask('Again'))).toBe('Again');
  });
});

describe('ridgepoint chat', () => {
  const scratch = new Scratch();
  const on = ['--adapter', adapters[0], '--temperature', '0', '--max-tokens', '16'];
  const template =
    "{{ bos_token }}{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}";
  let model: string;
  beforeAll(async () => {
    await build();
    model = scratch.model('chatty', { 'tokenizer_config.json': withKeys({ chat_template: template }) });
  });
  afterAll(() => scratch.remove());

  it.runIf(isFull)('answers each line that is piped in, and nothing but replies goes to standard output', async () => {
    const args = ['chat', '--model', model, '--system', 'Tell a story.', '--quiet', ...on];
    const { code, stdout, stderr } = await cli(args, { input: 'A fox\n\nA hen\n' });
    expect([code, stderr]).toEqual([0, '']);
    const first = await generateJson([`system: Tell a story.\nuser: A fox\nassistant:`, '--model', model, ...on]);
    expect(stdout.startsWith(`${first.text}\n`)).toBe(true);
    const history = `system: Tell a story.\nuser: A fox\nassistant: ${first.text}\nuser: A hen\nassistant:`;
    const second = await generateJson([history, '--model', model, ...on]);
    expect(stdout).toBe(`${first.text}\n${second.text}\n`);
  });

  it.runIf(isFull)('obeys commands, and says so on standard error', async () => {
    const input = 'A fox\n/reset\nA fox\n/help\n/nope\n/exit\nA hen\n';
    const { code, stdout, stderr } = await cli(['chat', '--model', model, ...on], { input });
    const half = stdout.slice(0, stdout.length / 2);
    expect(code).toBe(0);
    expect(stdout).toBe(half + half);
    expect(stderr).toMatch(/forgotten[^]*\/reset {2}forget the conversation[^]*no command \/nope/);
  });

  it.runIf(isFull)('says when it had to forget', async () => {
    const args = ['chat', '--plain', '--context-length', '40', ...on];
    const { code, stderr } = await cli(args, { input: 'A fox ran\nA hen ran\nA dog ran\n' });
    expect(code).toBe(0);
    expect(stderr).toMatch(/context of 40 tokens is full: the oldest turn was forgotten/);
  });

  it.runIf(isFull)('goes on after a message that is too long, and fails at the end', async () => {
    const args = ['chat', '--plain', '--context-length', '32', ...on];
    const { code, stdout, stderr } = await cli(args, { input: `${'fox '.repeat(60)}\nA hen\n` });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^ridgepoint: the prompt has \d+ tokens, but the context is 32[^\n]*\n/);
    expect(stdout.length).toBeGreaterThan(1);
  });

  it.runIf(isFull)('is stopped by an interrupt', async () => {
    let sent = false;
    const onOutput = (child: { kill: (signal: 'SIGINT') => void }) => {
      if (!sent) child.kill('SIGINT');
      sent = true;
    };
    const args = ['chat', '--plain', '--adapter', adapters[0], '--ignore-eos'];
    const { code, stderr } = await cli(args, { input: 'Once upon a time\nOne day\n', onOutput });
    expect([code, stderr]).toEqual([130, '']);
  });
});
