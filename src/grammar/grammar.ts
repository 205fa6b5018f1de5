/**
 * The form of a text, as data. Parts follow one another, so a JSON value may stand between words, as the arguments of a
 * tool do.
 */
export type Grammar =
  /** JSON of a schema, any object where there is none; a blank may come first. `of` names it in errors. */
  | { readonly kind: 'json'; readonly schema?: unknown; readonly of?: string }
  /** Keyword arguments of a call in Python, whose values are those of a schema's properties. */
  | { readonly kind: 'keywords'; readonly schema: unknown; readonly of?: string }
  /** Parameters of a call as elements, of a schema's properties: texts as they are, any other value as JSON. */
  | { readonly kind: 'elements'; readonly schema: unknown; readonly of?: string }
  /** One text. */
  | { readonly kind: 'text'; readonly text: string }
  /** A text, or the special token that is written like it. */
  | { readonly kind: 'marker'; readonly text: string }
  /** A text that matches an ECMA-262 pattern as a whole. */
  | { readonly kind: 'pattern'; readonly source: string }
  /** Blanks and line ends, as many as one likes or up to so many. */
  | { readonly kind: 'white'; readonly max?: number }
  /** Any text in which none of these stand. */
  | { readonly kind: 'free'; readonly without: readonly string[] }
  /** Any text that does not begin like this. */
  | { readonly kind: 'otherwise'; readonly begins: Grammar }
  | { readonly kind: 'sequence' | 'choice'; readonly items: readonly Grammar[] }
  | { readonly kind: 'repeat'; readonly item: Grammar; readonly min: number; readonly max?: number }
  /** Rules in GBNF; the text is what `root` stands for. */
  | { readonly kind: 'gbnf'; readonly source: string };

export const text = (value: string): Grammar => ({ kind: 'text', text: value });
export const marker = (value: string): Grammar => ({ kind: 'marker', text: value });
export const json = (schema?: unknown, of?: string): Grammar => ({ kind: 'json', schema, of });
export const white = (max?: number): Grammar => ({ kind: 'white', max });
export const sequence = (...items: readonly Grammar[]): Grammar => ({ kind: 'sequence', items });
export const choice = (...items: readonly Grammar[]): Grammar => ({ kind: 'choice', items });
export const repeat = (item: Grammar, min: number, max?: number): Grammar => ({ kind: 'repeat', item, min, max });
export const optional = (item: Grammar): Grammar => repeat(item, 0, 1);
export const free = (...without: readonly string[]): Grammar => ({ kind: 'free', without });
