import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { DevtoolsPipe } from '../../src/platform/node/chromium/devtools-pipe.js';
import { findChromium } from '../../src/platform/node/chromium/find.js';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function pair() {
  const [out, incoming] = [new PassThrough(), new PassThrough()];
  return { out, incoming, pipe: new DevtoolsPipe(out, incoming) };
}

test('answers find who asked, however the messages are cut', async () => {
  const { out, incoming, pipe } = pair();
  const events: unknown[] = [];
  pipe.on('Seen', (params) => events.push(params));
  const [first, second] = [pipe.call('A.a', { x: 1 }), pipe.call('B.b', {}, 'session')];
  const failed = expect(second).rejects.toThrow('the browser refused a request: no such thing');
  await tick();
  expect(String(out.read())).toBe(
    '{"id":1,"method":"A.a","params":{"x":1}}\0{"id":2,"method":"B.b","params":{},"sessionId":"session"}\0',
  );
  const text =
    '{"id":2,"error":{"message":"no such thing"}}\0{"method":"Seen","params":{"n":"ü"}}\0{"id":1,"result":{"y":2}}\0';
  // One byte at a time, so that letters are cut, too.
  for (const byte of Buffer.from(text)) incoming.write(Buffer.of(byte));
  expect(await first).toEqual({ y: 2 });
  await failed;
  expect(events).toEqual([{ n: 'ü' }]);
});

test('a browser that is gone fails what was asked and what is asked later', async () => {
  const { pipe } = pair();
  const asked = expect(pipe.call('A.a')).rejects.toThrow('gone');
  pipe.break(new Error('gone'));
  await asked;
  await expect(pipe.call('B.b')).rejects.toThrow('gone');
  await expect(pipe.failure).rejects.toThrow('gone');
});

test('a browser that is no program is named', async () => {
  await expect(findChromium('/none/chrome')).rejects.toThrow(/\/none\/chrome: is no program; name one, such as /);
});
