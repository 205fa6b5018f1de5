import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { random } from '../reference/compare.js';
import { scaled } from '../support/scale.js';
import { families } from './families.js';
import { randomTexts } from './random-texts.js';
import { rust } from './rust.js';

const TEXTS = scaled(10_000);

describe.skipIf(rust === undefined)('as the Rust library (skipped without its binary)', () => {
  it.each(families)(`$name: ${TEXTS} texts`, async ({ json }) => {
    const ours = Tokenizer.fromJson(json, {});
    const theirs = rust!.Tokenizer.fromString(JSON.stringify(json));
    const texts = randomTexts(TEXTS);
    const expected = (await theirs.encodeBatch(texts, { addSpecialTokens: false })).map((each) => each.getIds());
    const wrong = texts.filter(
      (text, i) => ours.encode(text, { addSpecialTokens: false }).join() !== expected[i].join(),
    );
    expect(wrong).toEqual([]);
    // Ids that no text gives, added tokens among them.
    const added = (json.added_tokens as { id: number }[]).map(({ id }) => id);
    const numbers = random(2);
    const anyIds = Array.from({ length: TEXTS }, () =>
      Array.from(numbers.uniform(6, 0, 1.2 * ours.vocabSize), (x) =>
        Math.floor(x < ours.vocabSize ? x : added[Math.floor(x) % added.length]),
      ),
    );
    for (const skipSpecialTokens of [true, false]) {
      const lists = [...expected, ...anyIds];
      const decoded = await theirs.decodeBatch(lists, skipSpecialTokens);
      const found = lists.map((ids) => ours.decode(ids, { skipSpecialTokens }));
      // The Rust library's "Metaspace" drops all blanks of a first token, not only the one that encoding put there.
      const drops = (json.decoder as { type: string }).type === 'Metaspace';
      const same = (a: string, b: string): boolean =>
        drops ? a.replaceAll(' ', '') === b.replaceAll(' ', '') : a === b;
      // Bytes that are no character are told apart differently.
      const differing = decoded.flatMap((text, i) => (same(text, found[i]) || text.includes('\ufffd') ? [] : [i]));
      expect(differing.map((i) => [lists[i], found[i], decoded[i]])).toEqual([]);
    }
  });
});
