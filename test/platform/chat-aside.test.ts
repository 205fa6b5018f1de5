import { beforeAll, describe, expect, it } from 'vitest';
import { chatAside } from '../../src/platform/node/chat-aside.js';
import { renderChat } from '../../src/tokenizer/chat.js';
import { build } from '../cli/support.js';
import { bestTurn } from '../support/turns.js';
import { isFull } from '../support/scale.js';

const PLAIN = `{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content | trim }}\n{% endfor %}`;
const LOOPS = '{% for i in range(90000) %}{% for j in range(90000) %}x{% endfor %}{% endfor %}';
const GROWS = `{% set ns = namespace(l=[1]) %}{% for i in range(40) %}{% set ns.l = ns.l + ns.l %}{% endfor %}`;
const hello = [{ role: 'user', content: ' hello ' }];

describe('chats rendered aside', () => {
  beforeAll(build);

  const open = (template: string) => {
    const aside = chatAside({ template, bosToken: '<s>' });
    expect(aside).toBeDefined();
    return aside!;
  };

  it('are the same text', async () => {
    const aside = open(PLAIN);
    const lists = Array.from({ length: 5 }, (_, i) => [...hello, { role: 'assistant', content: `answer ${i}` }]);
    const texts = await Promise.all(lists.map((messages) => aside.render(messages)));
    expect(texts).toEqual(lists.map((messages) => renderChat(PLAIN, messages, { bosToken: '<s>' })));
    await aside.close();
  });

  it('keep nobody waiting, however many messages there are or whatever the template does', async () => {
    const many = Array.from({ length: 2048 }, () => hello[0]);
    for (const [template, messages] of [
      [PLAIN, many],
      [LOOPS, hello],
    ] as const) {
      const aside = open(template);
      const turn = await bestTurn(50, () => aside.render(messages).catch(() => undefined));
      expect(turn).toBeLessThan(50);
      await aside.close();
    }
  });

  it('fail as they would here, and the next is rendered all the same', async () => {
    const aside = open(`{% if messages[0].content == 'no' %}{{ raise_exception('not that') }}{% endif %}yes`);
    await expect(aside.render([{ role: 'user', content: 'no' }])).rejects.toMatchObject({
      code: 'prompt',
      message: "The model's chat template does not accept these messages: not that.",
    });
    expect(await aside.render(hello)).toBe('yes');
    await aside.close();
    const broken = open('{% for %}');
    await expect(broken.render(hello)).rejects.toMatchObject({ code: 'checkpoint' });
    await broken.close();
  });

  it.runIf(isFull)('end with their thread where they take all memory, and the next has another', async () => {
    const aside = open(`{% if messages | length > 1 %}${GROWS}{% endif %}fine`);
    await expect(aside.render([hello[0], hello[0]])).rejects.toMatchObject({ code: 'prompt' });
    expect(await aside.render(hello)).toBe('fine');
    await aside.close();
  });

  it('that wait are given up where nobody waits for them, and those behind them have their turn', async () => {
    const aside = open(PLAIN);
    const gone = new AbortController();
    const first = aside.render(hello);
    const second = expect(aside.render(hello, {}, gone.signal)).rejects.toThrow('left');
    const third = aside.render([...hello, ...hello]);
    gone.abort(new Error('left'));
    await second;
    await expect(aside.render(hello, {}, gone.signal)).rejects.toThrow('left');
    expect([await first, await third]).toEqual(['<s>user: hello\n', '<s>user: hello\nuser: hello\n']);
    await aside.close();
  });

  it('that wait end when the engine is closed', async () => {
    const aside = open(LOOPS);
    const waiting = [aside.render(hello), aside.render(hello)].map((text) => expect(text).rejects.toThrow(/disposed/));
    await aside.close();
    await Promise.all(waiting);
  });
});
