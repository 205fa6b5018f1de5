import { describe, expect, it } from 'vitest';
import { Mailbox } from '../../src/serving/mailbox.js';

/** Gives several items that are ready at once, as a generation does: one after the other, with microtasks between. */
async function* ready(items: readonly number[]): AsyncGenerator<number> {
  for (const item of items) yield await Promise.resolve(item);
}

async function send(mailbox: Mailbox<number>, items: readonly number[]): Promise<void> {
  for await (const item of ready(items)) mailbox.push(item);
}

describe('a mailbox', () => {
  it('gives its reader all that is ready together at once', async () => {
    const mailbox = new Mailbox<number>();
    const more = mailbox.more();
    void send(mailbox, [1, 2, 3]);
    void send(mailbox, [4]);
    await more;
    expect(mailbox.take()?.toSorted()).toEqual([1, 2, 3, 4]);
    void send(mailbox, [5, 6]).then(() => mailbox.end());
    await mailbox.more();
    expect(mailbox.take()).toEqual([5, 6]);
    expect(mailbox.more()).toBeUndefined();
    expect(mailbox.take()).toBeUndefined();
  });

  it('tells of an error behind what had come, or before it where that is dropped', async () => {
    for (const drops of [false, true]) {
      const mailbox = new Mailbox<number>();
      mailbox.push(1);
      if (drops) mailbox.drop(new Error('gone'));
      else mailbox.end(new Error('gone'));
      const found: number[] = [];
      const read = async (): Promise<void> => {
        for await (const item of mailbox) found.push(item);
      };
      await expect(read()).rejects.toThrow('gone');
      expect(found).toEqual(drops ? [] : [1]);
    }
  });
});
