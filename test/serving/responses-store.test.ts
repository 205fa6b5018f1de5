import { expect, it } from 'vitest';
import { ResponsesStore } from '../../src/serving/responses-store.js';

it('responses are forgotten by all that is kept of them, the oldest first', () => {
  const store = new ResponsesStore();
  const megabytes = 'x'.repeat(20 << 20);
  const messages = [{ role: 'user' as const, content: 'x' }];
  for (const id of ['a', 'b', 'c']) store.keep(id, { response: { instructions: megabytes }, messages });
  expect(['a', 'b', 'c'].map((id) => store.get(id) !== undefined)).toEqual([true, true, true]);
  store.keep('d', { response: {}, messages: [{ role: 'user', content: megabytes }] });
  expect(['a', 'b', 'c', 'd'].map((id) => store.get(id) !== undefined)).toEqual([false, true, true, true]);
  expect([store.delete('b'), store.delete('b')]).toEqual([true, false]);
  store.keep('e', { response: { tools: [{ name: megabytes }] }, messages });
  expect(['c', 'd', 'e'].map((id) => store.get(id) !== undefined)).toEqual([true, true, true]);
});
