import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { StopMatcher } from '../../src/tokenizer/stop.js';
import { scaled } from '../support/scale.js';

/** The text before the first stop string that is complete, by looking at every prefix of the text. */
function naive(text: string, stops: readonly string[]): { text: string; stop?: string } {
  for (let end = 1; end <= text.length; end++) {
    const matches = stops.filter((stop) => text.slice(0, end).endsWith(stop));
    if (matches.length > 0) {
      const stop = matches.reduce((a, b) => (b.length > a.length ? b : a));
      return { text: text.slice(0, end - stop.length), stop };
    }
  }
  return { text };
}

function feed(pieces: readonly string[], stops: readonly string[]): { text: string; stop?: string } {
  const matcher = new StopMatcher(stops);
  let text = '';
  for (const piece of pieces) {
    const result = matcher.push(piece);
    text += result.text;
    if (result.stop !== undefined) return { text, stop: result.stop };
  }
  return { text: text + matcher.flush() };
}

describe('StopMatcher', () => {
  it('finds what a search of the whole text finds, however it is cut', () => {
    const letters = (maxLength: number): fc.Arbitrary<string> =>
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', '😀'), minLength: 1, maxLength });
    fc.assert(
      fc.property(fc.array(letters(5), { maxLength: 12 }), fc.array(letters(4), { maxLength: 3 }), (pieces, stops) => {
        expect(feed(pieces, stops)).toEqual(naive(pieces.join(''), stops));
      }),
      { numRuns: scaled(3000, 500) },
    );
  });

  it('holds back no more than may become a stop string', () => {
    const matcher = new StopMatcher(['\n\nUser:', 'END']);
    expect(matcher.push('Hello\n')).toEqual({ text: 'Hello' });
    expect(matcher.push('\nUs')).toEqual({ text: '' });
    expect(matcher.push('ually E')).toEqual({ text: '\n\nUsually ' });
    expect(matcher.push('N')).toEqual({ text: '' });
    expect(matcher.push('D and on')).toEqual({ text: '', stop: 'END' });
    expect(matcher.push('more')).toEqual({ text: '', stop: 'END' });
    expect(matcher.flush()).toBe('');
  });

  it('gives back at the end what it held', () => {
    const matcher = new StopMatcher(['stop']);
    expect(matcher.push('non-st')).toEqual({ text: 'non-' });
    expect(matcher.flush()).toBe('st');
    expect(new StopMatcher([]).push('anything')).toEqual({ text: 'anything' });
  });

  it('takes the stop string that is complete first, the longest of those that end together', () => {
    expect(feed(['xabcdx'], ['abcd', 'bc'])).toEqual({ text: 'xa', stop: 'bc' });
    expect(feed(['xabc'], ['bc', 'abc'])).toEqual({ text: 'x', stop: 'abc' });
  });

  it('takes hundreds of thousands of stop strings, as deep and as many as they come', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => `<${i}>`);
    const matcher = new StopMatcher(many);
    expect(matcher.push('a <12345')).toEqual({ text: 'a ' });
    expect(matcher.push('x <199999')).toEqual({ text: '<12345x ' });
    expect(matcher.push('> behind')).toEqual({ text: '', stop: '<199999>' });
    const long = 'ab'.repeat(100_000);
    expect(feed([`b${long}`, 'c'], [`${long}c`])).toEqual({ text: 'b', stop: `${long}c` });
  });

  it('looks at hidden pieces and gives nothing of them out', () => {
    const matcher = new StopMatcher(['a<e>b']);
    expect(matcher.push('xa')).toEqual({ text: 'x' });
    expect(matcher.push('<e>', true)).toEqual({ text: '' });
    expect(matcher.push('a')).toEqual({ text: 'a' });
    expect(matcher.push('<e>', true)).toEqual({ text: '' });
    expect(matcher.flush()).toBe('a');
    expect(matcher.push('a')).toEqual({ text: '' });
    expect(matcher.push('<e>', true)).toEqual({ text: '' });
    expect(matcher.push('bc')).toEqual({ text: '', stop: 'a<e>b' });
  });

  it('refuses an empty stop string', () => {
    expect(() => new StopMatcher(['a', ''])).toThrow('stop must be a list of strings, none of them empty');
  });
});
