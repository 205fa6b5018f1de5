import { RegExpParser, type AST } from '@eslint-community/regexpp';

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
  const fold = (alternatives: readonly AST.Alternative[]): Node => {
    const options = alternatives.map(({ elements }): Node => {
      const items = elements.map(part);
      return items.length === 1 ? items[0] : { kind: 'sequence', items };
    });
    return options.length === 1 ? options[0] : choice(...options);
  };

  /** The edge of the text, or of a line where those count. */
  const end = (behind: boolean): Node =>
    multiline ? choice(look(ANY, behind, true), look(BREAK, behind, false)) : look(ANY, behind, true);

  function assertion(node: AST.Assertion): Node {
    switch (node.kind) {
      case 'start':
      case 'end':
        return end(node.kind === 'start');
      case 'word':
        return edge(node.negate);
      case 'lookahead':
      case 'lookbehind':
        return look(fold(node.alternatives), node.kind === 'lookbehind', node.negate);
    }
  }

  function part(node: AST.Element): Node {
    switch (node.type) {
      case 'Assertion':
        return assertion(node);
      case 'Backreference':
        throw new Error('it refers back to what a group has matched');
      case 'Quantifier': {
        const { element, min, max, greedy } = node;
        return { kind: 'repeat', item: part(element), min, max, lazy: !greedy };
      }
      case 'Group':
        if (node.modifiers !== null) throw new Error('it changes flags inside');
        return fold(node.alternatives);
      case 'CapturingGroup':
        return fold(node.alternatives);
      default:
        return set(node.raw); // JavaScript's own expressions say which characters it matches
    }
  }

  return fold(new RegExpParser().parsePattern(source, 0, source.length, { unicode: true }).alternatives);
}
