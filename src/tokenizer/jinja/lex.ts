/** A part of a template's source. */
export interface Token {
  readonly type: 'text' | 'begin' | 'end' | 'name' | 'string' | 'integer' | 'float' | 'operator' | 'eof';
  /** For `begin` and `end`, `{{` or `{%`. */
  readonly value: string;
  readonly line: number;
}

/** Something that is not Jinja. */
export class TemplateSyntaxError extends Error {
  constructor(message: string, line: number) {
    super(`${message}, in line ${line}`);
  }
}

const NEWLINES = /\r\n|\r/g;
const BEGIN = /\{([{%#])([-+]?)/g;
const RAW = /\s*raw\s*(?:-%\}\s*|%\})/y;
const END_RAW = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/g;
/** A minus strips what follows, a plus keeps it; otherwise statements and comments take a newline along. */
const ENDS = {
  '{': /-\}\}\s*|\}\}/y,
  '%': /\+%\}|-%\}\s*|%\}\n?/y,
  '#': /\+#\}|-#\}\s*|#\}\n?/g,
} as const;

const NUMBER = /(?:\d(?:_?\d)*)(?:(?:\.\d(?:_?\d)*)?[eE][-+]?\d(?:_?\d)*|\.\d(?:_?\d)*)/y;
const INTEGER = /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[\da-fA-F])+|\d(?:_?\d)*/y;
const STRING = /'(?:[^'\\]|\\[^])*'|"(?:[^"\\]|\\[^])*"/y;
const NAME = /[\p{L}\p{Nl}_][\p{L}\p{Nl}\p{Mn}\p{Mc}\p{Nd}\p{Pc}]*/uy;
const OPERATOR = /\*\*|\/\/|==|!=|<=|>=|[-+*/%~[\](){}<>=.:|,;]/y;
const BLANK = /\s+/y;
const CLOSES: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Cuts a template into tokens as Jinja does under `trim_blocks` and `lstrip_blocks`, which transformers sets. */
class Lexer {
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;
  #line = 1;
  #counted = 0;
  /** Whether what was read last ended a line. */
  #startsLine = true;

  constructor(source: string) {
    this.#source = source.replace(NEWLINES, '\n').replace(/\n$/, '');
  }

  run(): Token[] {
    const source = this.#source;
    while (this.#at < source.length) {
      BEGIN.lastIndex = this.#at;
      const found = BEGIN.exec(source);
      if (found === null) {
        this.#push('text', source.slice(this.#at));
        break;
      }
      const [, kind, sign] = found as unknown as [string, keyof typeof ENDS, string];
      const text = source.slice(this.#at, found.index);
      this.#text(text, sign, kind !== '{');
      this.#at = found.index + found[0].length;
      if (kind === '#') this.#comment();
      else if (kind === '{' || !this.#raw()) this.#code(kind);
      this.#startsLine = source[this.#at - 1] === '\n';
    }
    this.#push('eof', '');
    return this.#tokens;
  }

  #push(type: Token['type'], value: string): void {
    for (; this.#counted < this.#at; this.#counted++) if (this.#source[this.#counted] === '\n') this.#line++;
    if (type !== 'text' || value !== '') this.#tokens.push({ type, value, line: this.#line });
  }

  /** The text before a tag, without the blanks that the tag strips. */
  #text(text: string, sign: string, strips: boolean): void {
    if (sign === '-') return this.#push('text', text.trimEnd());
    const begin = text.lastIndexOf('\n') + 1;
    const alone = sign === '' && strips && (begin > 0 || this.#startsLine) && text.slice(begin).trim() === '';
    this.#push('text', alone ? text.slice(0, begin) : text);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#source);
    if (found === null) return undefined;
    this.#at = pattern.lastIndex;
    return found[0];
  }

  #comment(): void {
    if (this.#match(ENDS['#']) === undefined) throw new TemplateSyntaxError('a comment has no end', this.#line);
  }

  /** Takes `{% raw %}` up to its end. */
  #raw(): boolean {
    if (this.#match(RAW) === undefined) return false;
    END_RAW.lastIndex = this.#at;
    const end = END_RAW.exec(this.#source);
    if (end === null) throw new TemplateSyntaxError('a raw block has no end', this.#line);
    this.#startsLine = false;
    this.#text(this.#source.slice(this.#at, end.index), end[1], true);
    this.#at = END_RAW.lastIndex;
    return true;
  }

  #code(kind: '{' | '%'): void {
    this.#push('begin', `{${kind}`);
    const open: string[] = [];
    for (;;) {
      if (open.length === 0 && this.#match(ENDS[kind]) !== undefined) return this.#push('end', `{${kind}`);
      if (this.#at >= this.#source.length) throw new TemplateSyntaxError(`{${kind} has no end`, this.#line);
      if (this.#match(BLANK) !== undefined) continue;
      const [type, value] = this.#piece();
      if (type === 'operator') {
        if (value in CLOSES) open.push(CLOSES[value]);
        else if (')]}'.includes(value) && open.pop() !== value) {
          throw new TemplateSyntaxError(`"${value}" closes nothing`, this.#line);
        }
      }
      this.#push(type, value);
    }
  }

  #piece(): [Token['type'], string] {
    const kinds = [['float', NUMBER], ['integer', INTEGER], ['name', NAME], ['string', STRING], ['operator', OPERATOR]] as const; // prettier-ignore
    for (const [type, pattern] of kinds) {
      const value = this.#match(pattern);
      if (value !== undefined) return [type, value];
    }
    throw new TemplateSyntaxError(`"${this.#source[this.#at]}" means nothing here`, this.#line);
  }
}

/** @throws TemplateSyntaxError */
export const lex = (source: string): Token[] => new Lexer(source).run();
