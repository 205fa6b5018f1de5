import { RidgepointError } from '../errors.js';

/** A part of a rule. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  /** A character of these ranges of code points, or, negated, any other. */
  | { readonly kind: 'class'; readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean }
  | { readonly kind: 'rule'; readonly name: string }
  | { readonly kind: 'choice' | 'sequence'; readonly items: readonly Part[] }
  | { readonly kind: 'repeat'; readonly item: Part; readonly min: number; readonly max: number };

/** Longest text of rules, in characters, and most parts they may have. */
const MAX_CHARACTERS = 65_536;
/** Most groups within each other. */
const MAX_NESTING = 64;

export function refuseRules(what: string): never {
  throw new RidgepointError('usage', `the grammar cannot be used: ${what}`);
}

/**
 * Reads rules in GBNF, llama.cpp's form: `name ::= alternatives`, of texts in quotes, classes of characters, `.`, names
 * of rules and groups, with `*`, `+`, `?` and `{m,n}` behind them; `#` begins a comment.
 *
 * @throws RidgepointError ('usage') with the line that is wrong
 */
export function parseRules(source: string): ReadonlyMap<string, Part> {
  if (source.length > MAX_CHARACTERS) refuseRules(`it has more than ${MAX_CHARACTERS} characters`);
  return new RuleParser(source).rules();
}

const NAME = /[A-Za-z][\w-]*/y;

class RuleParser {
  #at = 0;
  #depth = 0;

  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  rules(): ReadonlyMap<string, Part> {
    const rules = new Map<string, Part>();
    this.#space(true);
    while (this.#at < this.#source.length) {
      const name = this.#name() ?? this.#wrong('expected the name of a rule');
      this.#space(false);
      if (!this.#takes('::=')) this.#wrong('expected "::="');
      this.#space(true);
      if (rules.has(name)) this.#wrong(`the rule ${name} is there twice`);
      rules.set(name, this.#alternatives(false));
      this.#space(true);
    }
    return rules;
  }

  #alternatives(nested: boolean): Part {
    const items = [this.#sequence(nested)];
    for (;;) {
      const before = this.#at;
      this.#space(true);
      if (!this.#takes('|')) {
        if (!nested) this.#at = before;
        break;
      }
      this.#space(true);
      items.push(this.#sequence(nested));
    }
    return items.length === 1 ? items[0] : { kind: 'choice', items };
  }

  #sequence(nested: boolean): Part {
    const items: Part[] = [];
    for (;;) {
      this.#space(nested);
      const part = this.#part();
      if (part === undefined) break;
      items.push(this.#repeated(part));
    }
    return items.length === 1 ? items[0] : { kind: 'sequence', items };
  }

  #part(): Part | undefined {
    const char = this.#source[this.#at] as string | undefined;
    if (char === '"') return this.#text();
    if (char === '[') return this.#class();
    if (char === '.') {
      this.#at++;
      return { kind: 'class', ranges: [], negated: true };
    }
    if (char === '(') {
      this.#at++;
      if (++this.#depth > MAX_NESTING) this.#wrong(`more than ${MAX_NESTING} groups stand within each other`);
      const inner = this.#alternatives(true);
      this.#depth--;
      this.#space(true);
      if (!this.#takes(')')) this.#wrong('expected ")"');
      return inner;
    }
    const name = this.#name();
    return name === undefined ? undefined : { kind: 'rule', name };
  }

  #repeated(item: Part): Part {
    const before = this.#at;
    const times = /\s*(?:([*+?])|\{\s*(\d{1,5})\s*(?:(,)\s*(\d{1,5})?\s*)?\})/y;
    times.lastIndex = this.#at;
    const match = times.exec(this.#source);
    if (match === null || /\n/.test(match[0])) {
      this.#at = before;
      return item;
    }
    this.#at = times.lastIndex;
    const [, sign, low, comma, high] = match as (string | undefined)[];
    const min = low === undefined ? Number(sign === '+') : Number(low);
    const max =
      low === undefined ? (sign === '?' ? 1 : Infinity) : comma === undefined ? min : Number(high ?? Infinity);
    return this.#repeated({ kind: 'repeat', item, min, max });
  }

  #text(): Part {
    this.#at++;
    let text = '';
    while (this.#source[this.#at] !== '"') text += String.fromCodePoint(this.#character('a text'));
    this.#at++;
    return { kind: 'text', text };
  }

  #class(): Part {
    this.#at++;
    const negated = this.#takes('^');
    const ranges: [number, number][] = [];
    while (this.#source[this.#at] !== ']') {
      const low = this.#character('a class');
      const isRange = this.#source[this.#at] === '-' && this.#source[this.#at + 1] !== ']';
      if (isRange) this.#at++;
      const high = isRange ? this.#character('a class') : low;
      if (high < low) this.#wrong('a range of characters ends before it begins');
      ranges.push([low, high]);
    }
    this.#at++;
    return { kind: 'class', ranges, negated };
  }

  /** A code point, perhaps escaped. */
  #character(where: string): number {
    const code = this.#source.codePointAt(this.#at);
    if (code === undefined) this.#wrong(`${where} has no end`);
    this.#at += code > 0xffff ? 2 : 1;
    if (code !== 0x5c) return code;
    const kind = this.#source[this.#at++] as string | undefined;
    const digits = { x: 2, u: 4, U: 8 }[kind ?? ''];
    if (digits !== undefined) {
      const hex = this.#source.slice(this.#at, this.#at + digits);
      const value = Number.parseInt(hex, 16);
      if (!/^[0-9a-f]+$/i.test(hex) || hex.length < digits || value > 0x10ffff) this.#wrong('an escape is no number');
      this.#at += digits;
      return value;
    }
    const plain = { n: 10, r: 13, t: 9, '"': 34, '\\': 92, '[': 91, ']': 93, '-': 45, '^': 94, '/': 47 }[kind ?? ''];
    return plain ?? this.#wrong(`\\${kind ?? ''} is no escape`);
  }

  #name(): string | undefined {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#source)?.[0];
    this.#at += name?.length ?? 0;
    return name;
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #space(lines: boolean): void {
    const blank = lines ? /(?:\s|#[^\n]*)*/y : /(?:[ \t\r]|#[^\n]*)*/y;
    blank.lastIndex = this.#at;
    blank.exec(this.#source);
    this.#at = blank.lastIndex;
  }

  #wrong(what: string): never {
    const line = this.#source.slice(0, this.#at).split('\n').length;
    refuseRules(`line ${line}: ${what}`);
  }
}
