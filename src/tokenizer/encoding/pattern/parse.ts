/** An expression as a tree. Groups do not show: nobody asks what they matched. */
export type Node =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'look'; readonly item: Node; readonly behind: boolean; readonly negated: boolean };

const set = (source: string): Node => ({ kind: 'set', source });
const choice = (...options: Node[]): Node => ({ kind: 'choice', options });
const look = (item: Node, behind: boolean, negated: boolean): Node => ({ kind: 'look', item, behind, negated });

const ANY = set('[^]');
const BREAK = set('[\\n\\r\\u2028\\u2029]');
const WORD = set('\\w');

/** The edge of a word: a word's character on one side and none on the other. */
function edge(negated: boolean): Node {
  const both = (before: boolean, after: boolean): Node => ({
    kind: 'sequence',
    items: [look(WORD, true, !before), look(WORD, false, !after)],
  });
  return negated ? choice(both(true, true), both(false, false)) : choice(both(true, false), both(false, true));
}

/**
 * Reads the source of a JavaScript expression that has the flag `u` and is known to be valid.
 *
 * @throws Error for a reference to a group, which cannot be matched in linear time
 */
export function parsePattern({ source, multiline }: Pick<RegExp, 'source' | 'multiline'>): Node {
  let at = 0;
  const taken = (text: string): boolean => {
    if (!source.startsWith(text, at)) return false;
    at += text.length;
    return true;
  };
  const match = (expression: RegExp): RegExpExecArray | undefined => {
    expression.lastIndex = at;
    const found = expression.exec(source);
    if (found === null) return undefined;
    at += found[0].length;
    return found;
  };

  function parseChoice(): Node {
    const options = [parseSequence()];
    while (taken('|')) options.push(parseSequence());
    return options.length === 1 ? options[0] : choice(...options);
  }

  function parseSequence(): Node {
    const items: Node[] = [];
    while (at < source.length && source[at] !== '|' && source[at] !== ')') items.push(parseRepeat(parseAtom()));
    return items.length === 1 ? items[0] : { kind: 'sequence', items };
  }

  function parseRepeat(item: Node): Node {
    const found = match(/([*+?]|\{(\d+)(,?)(\d*)\})(\??)/y);
    if (found === undefined) return item;
    const [, sign, from, comma, to, lazy] = found;
    const min = sign === '+' ? 1 : from === undefined ? 0 : Number(from);
    const max =
      sign === '?' ? 1 : from === undefined ? Infinity : comma === '' ? min : to === '' ? Infinity : Number(to);
    return { kind: 'repeat', item, min, max, lazy: lazy !== '' };
  }

  function parseAtom(): Node {
    const opened = match(/\((?:\?(?:(<?[=!])|:|<[^=!>][^>]*>))?/y);
    if (opened !== undefined) {
      const item = parseChoice();
      at++; // )
      const kind = opened[1] as string | undefined;
      return kind === undefined ? item : look(item, kind.startsWith('<'), kind.endsWith('!'));
    }
    if (taken('^')) return multiline ? choice(look(ANY, true, true), look(BREAK, true, false)) : look(ANY, true, true);
    if (taken('$'))
      return multiline ? choice(look(ANY, false, true), look(BREAK, false, false)) : look(ANY, false, true);
    if (taken('\\b')) return edge(false);
    if (taken('\\B')) return edge(true);
    if (/^\\[1-9k]/.test(source.slice(at, at + 2))) throw new Error('it refers back to what a group has matched');
    const atom =
      match(/\[(?:\\[^]|[^\]\\])*\]/y) ??
      match(
        /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[a-zA-Z]|[^])/y,
      ) ??
      match(/[^]/uy)!;
    return set(atom[0]);
  }

  return parseChoice();
}
