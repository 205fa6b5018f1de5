import { RegExpParser, type AST } from '@eslint-community/regexpp';
import { compileTree, type Program } from './program.js';
import { ANY, eitherOf, edge, look, alternativesOf, set, type Node } from './tree.js';

const BREAK = set('[\\n\\r\\u2028\\u2029]');
const WORD = set('\\w');

/**
 * Reads the source of a JavaScript expression that has the flag `u` and is known to be valid.
 *
 * @throws Error for a reference to a group, which cannot be matched in linear time
 */
function parsePattern({ source, multiline }: Pick<RegExp, 'source' | 'multiline'>): Node {
  const fold = (alternatives: readonly AST.Alternative[]): Node =>
    alternativesOf(alternatives.map(({ elements }) => elements.map(part)));

  /** The edge of the text, or of a line where those count. */
  const end = (behind: boolean): Node =>
    multiline ? eitherOf(look(ANY, behind, true), look(BREAK, behind, false)) : look(ANY, behind, true);

  function assertion(node: AST.Assertion): Node {
    switch (node.kind) {
      case 'start':
      case 'end':
        return end(node.kind === 'start');
      case 'word':
        return edge(WORD, node.negate);
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

/** @throws Error for an expression that is too long, or cannot be matched in linear time */
export function compilePattern(expression: RegExp): Program {
  return compileTree(parsePattern(expression), expression.flags.replace(/[^imsu]/g, ''));
}
