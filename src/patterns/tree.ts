/** An expression as a tree. Groups do not show: nobody asks what they matched. */
export type Node =
  | { readonly kind: 'set'; readonly source: string }
  | { readonly kind: 'sequence'; readonly items: readonly Node[] }
  | { readonly kind: 'choice'; readonly options: readonly Node[] }
  | { readonly kind: 'repeat'; readonly item: Node; readonly min: number; readonly max: number; readonly lazy: boolean }
  | { readonly kind: 'look'; readonly item: Node; readonly behind: boolean; readonly negated: boolean };

/** @param source of an atom of JavaScript's that matches one character */
export const set = (source: string): Node => ({ kind: 'set', source });
export const eitherOf = (...options: Node[]): Node => ({ kind: 'choice', options });
export const look = (item: Node, behind: boolean, negated: boolean): Node => ({ kind: 'look', item, behind, negated });

/** One of alternatives, each a row of parts. */
export function alternativesOf(alternatives: readonly (readonly Node[])[]): Node {
  const options = alternatives.map((items): Node => (items.length === 1 ? items[0] : { kind: 'sequence', items }));
  return options.length === 1 ? options[0] : eitherOf(...options);
}

export const ANY = set('[^]');

/** The edge of a word: a word's character on one side and none on the other. */
export function edge(word: Node, negated: boolean): Node {
  const both = (before: boolean, after: boolean): Node => ({
    kind: 'sequence',
    items: [look(word, true, !before), look(word, false, !after)],
  });
  return negated ? eitherOf(both(true, true), both(false, false)) : eitherOf(both(true, false), both(false, true));
}
