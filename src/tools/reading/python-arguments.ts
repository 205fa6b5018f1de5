import type { ReplyEvent } from './events.js';

const WORDS: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' };
const ESCAPES: Readonly<Record<string, string>> = {
  ...{ n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', a: '\x07', v: '\v', '0': '\0' },
  ...{ '\\': '\\', "'": "'", '"': '"', '/': '/', '\n': '' },
};
const CODES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Rewrites keyword arguments in Python's words as a JSON object, character by character: `a=1, b='x')`. */
export class PythonArguments {
  #depth = 0;
  #key = '';
  #inKey = true;
  #word = '';
  #quote = '';
  #string = '';
  #escape: string | undefined;
  #count = 0;

  /** @returns whether the bracket that ends the call was this character */
  take(char: string, events: ReplyEvent[]): boolean {
    const tell = (text: string): void => void events.push({ kind: 'arguments', text });
    if (this.#quote !== '') {
      this.#inString(char, tell);
      return false;
    }
    if (this.#inKey) {
      if (/\w/.test(char)) this.#key += char;
      else if (char === '=') {
        tell(`${this.#count++ === 0 ? '{' : ', '}${JSON.stringify(this.#key)}: `);
        this.#key = '';
        this.#inKey = false;
      } else if (char === ')') {
        tell(this.#count === 0 ? '{}' : '}');
        return true;
      }
      return false;
    }
    if (/[\w.+-]/.test(char)) {
      this.#word += char;
      return false;
    }
    tell(Object.hasOwn(WORDS, this.#word) ? WORDS[this.#word] : this.#word);
    this.#word = '';
    return this.#mark(char, tell);
  }

  /** What is left of a call that was cut short. */
  end(): ReplyEvent[] {
    const rest = this.#quote !== '' ? JSON.stringify(this.#string).slice(0, -1) : this.#word;
    return rest === '' ? [] : [{ kind: 'arguments', text: rest }];
  }

  #mark(char: string, tell: (text: string) => void): boolean {
    if (char === '"' || char === "'") {
      this.#quote = char;
      this.#string = '';
    } else if ('[{('.includes(char)) {
      this.#depth++;
      tell(char === '(' ? '[' : char);
    } else if (']})'.includes(char)) {
      if (this.#depth === 0) {
        tell('}');
        return true;
      }
      this.#depth--;
      tell(char === ')' ? ']' : char);
    } else if (char === ',' && this.#depth === 0) this.#inKey = true;
    else if (char === ',' || char === ':') tell(`${char} `);
    return false;
  }

  #inString(char: string, tell: (text: string) => void): void {
    if (this.#escape !== undefined) {
      this.#escape += char;
      const [kind] = this.#escape;
      const digits = CODES[kind] as number | undefined;
      if (digits === undefined) this.#string += ESCAPES[kind] ?? `\\${kind}`;
      else if (this.#escape.length <= digits) return;
      else this.#string += character(this.#escape);
      this.#escape = undefined;
    } else if (char === '\\') this.#escape = '';
    else if (char === this.#quote) {
      this.#quote = '';
      tell(JSON.stringify(this.#string));
    } else this.#string += char;
  }
}

/** What an escape by number stands for; as it is written where that is no number. */
function character(escape: string): string {
  const code = Number.parseInt(escape.slice(1), 16);
  if (!/^[0-9a-f]+$/i.test(escape.slice(1)) || code > 0x10ffff) return `\\${escape}`;
  return code > 0xffff ? String.fromCodePoint(code) : String.fromCharCode(code);
}
