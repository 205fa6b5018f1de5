import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { IncrementalDetokenizer } from '../../src/tokenizer/detokenizer.js';
import { allTokenizers, hostileTexts, tinyTales } from './folders.js';
import { scaled } from '../support/scale.js';

const numRuns = scaled(400, 80);

describe.each(allTokenizers)('incremental detokenizer, $name', ({ tokenizer }) => {
  const pieces = (ids: readonly number[], context: readonly number[], skipSpecialTokens = true): string[] => {
    const detokenizer = new IncrementalDetokenizer(tokenizer, { context, skipSpecialTokens });
    return [...ids.map((id) => detokenizer.push(id)), detokenizer.flush()];
  };
  const anyIds = fc.array(
    fc.oneof(fc.nat(tokenizer.vocabSize + 3), fc.nat(260)), // low ids are bytes: many broken characters
    { maxLength: 40 },
  );
  const texts = fc.oneof(
    fc.constantFrom(...hostileTexts),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.string({ unit: 'grapheme', maxLength: 30 }),
  );

  it('gives the whole text for any ids', () => {
    fc.assert(
      fc.property(anyIds, fc.boolean(), (ids, skipSpecialTokens) => {
        expect(pieces(ids, [], skipSpecialTokens).join('')).toBe(tokenizer.decode(ids, { skipSpecialTokens }));
      }),
      { numRuns },
    );
  });

  it('goes on where any prompt ends, broken characters included', () => {
    fc.assert(
      fc.property(anyIds, anyIds, (prompt, ids) => {
        // what of the prompt is final: all but a character that later bytes may complete
        const detokenizer = new IncrementalDetokenizer(tokenizer);
        const before = prompt.map((id) => detokenizer.push(id)).join('');
        expect(before + pieces(ids, prompt).join('')).toBe(tokenizer.decode([...prompt, ...ids]));
      }),
      { numRuns },
    );
  });

  it('continues hostile text cut anywhere between whole characters', () => {
    fc.assert(
      fc.property(texts, fc.nat(), (text, at) => {
        const ids = tokenizer.encode(text);
        let cut = at % (ids.length + 1);
        while (cut > 0 && tokenizer.decode(ids.slice(0, cut)).endsWith('\ufffd')) cut--;
        const prompt = ids.slice(0, cut);
        const rest = tokenizer.decode(ids).slice(tokenizer.decode(prompt).length);
        expect(pieces(ids.slice(cut), prompt).join('')).toBe(rest);
      }),
      { numRuns },
    );
  });

  it('never emits part of a character', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const emitted = pieces(tokenizer.encode(text), []);
        expect(emitted.filter((piece) => /\p{Surrogate}/u.test(piece))).toEqual([]);
        expect(emitted.join('').includes('\ufffd')).toBe(tokenizer.decode(tokenizer.encode(text)).includes('\ufffd'));
      }),
      { numRuns },
    );
  });
});

describe('incremental detokenizer', () => {
  const { tokenizer } = tinyTales;
  const hello = tokenizer.encode('Max ran', { addSpecialTokens: false });

  it('drops the blank at the start of a text and keeps it after a prompt', () => {
    expect(new IncrementalDetokenizer(tokenizer).push(hello[0])).toBe(tokenizer.decode([hello[0]]));
    expect(new IncrementalDetokenizer(tokenizer, { context: [1] }).push(hello[0])).toBe(tokenizer.decode([hello[0]]));
    const after = new IncrementalDetokenizer(tokenizer, { context: [1, ...hello] });
    expect(after.push(hello[0])).toBe(` ${tokenizer.decode([hello[0]])}`);
  });

  it('holds a character back until its last byte, and gives up on one that can no longer be', () => {
    const byte = (value: number): number => 3 + value;
    const detokenizer = new IncrementalDetokenizer(tokenizer);
    expect([0xf0, 0x9f, 0x98, 0x80].map((value) => detokenizer.push(byte(value)))).toEqual(['', '', '', '😀']);
    expect([0xf0, 0x9f, 0x41].map((value) => detokenizer.push(byte(value)))).toEqual(['', '', '\ufffdA']);
    expect(detokenizer.push(byte(0xe4)) + detokenizer.flush()).toBe('\ufffd');
    expect(detokenizer.flush()).toBe('');
  });

  it('costs the same per token however long the text is', () => {
    const after = (context: number) =>
      new IncrementalDetokenizer(tokenizer, { context: new Array<number>(context).fill(hello[0]) });
    const [short, long] = [after(10), after(200_000)];
    const spent = { short: 0, long: 0 };
    // In turns, and in time of the processor: other programs do not count. Re-decoding everything is 10,000 times it.
    for (let turn = 0; turn < 50; turn++) {
      for (const [name, one] of Object.entries({ short, long }) as ['short' | 'long', IncrementalDetokenizer][]) {
        const before = process.cpuUsage();
        for (let i = 0; i < 500; i++) one.push(hello[i % hello.length]);
        spent[name] += process.cpuUsage(before).user;
      }
    }
    expect(spent.long / spent.short).toBeLessThan(20);
  });
});
