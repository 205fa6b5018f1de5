import { ALL_CHARACTERS, characterSet, complement, rawCharacters } from './characters.js';
import { NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { parseRules, refuseRules, type Part } from './gbnf-parser.js';

/** A rule that leads to itself is written out so deep. */
const MAX_DEPTH = 32;

/**
 * The texts of rules in GBNF. There is no recursion in an expression, so rules that lead to themselves are written out,
 * 32 within each other; one that has itself last, to repeat, is better written with `*`.
 *
 * @throws RidgepointError ('usage') for rules that are malformed, missing or stand for no text
 */
export function gbnf(e: Expressions, source: string): Expression {
  const rules = parseRules(source);
  if (!rules.has('root')) refuseRules('it has no rule "root"');
  const again = recursive(rules);
  const known = new Map<string, Expression>();
  const rule = (name: string, depth: number): Expression => {
    const part = rules.get(name) ?? refuseRules(`there is no rule ${name}`);
    const left = again.has(name) ? depth - 1 : depth;
    if (left < 0) return NEVER;
    const key = `${left} ${name}`;
    let result = known.get(key);
    if (result === undefined) known.set(key, (result = lower(part, left)));
    return result;
  };
  const lower = (part: Part, depth: number): Expression => {
    e.work.spend(1);
    switch (part.kind) {
      case 'text':
        return e.text(part.text);
      case 'class': {
        const set = characterSet(part.ranges);
        return rawCharacters(e, part.negated ? (set.length === 0 ? ALL_CHARACTERS : complement(set)) : set);
      }
      case 'rule':
        return rule(part.name, depth);
      case 'choice':
        return e.choice(...part.items.map((item) => lower(item, depth)));
      case 'sequence':
        return e.sequence(...part.items.map((item) => lower(item, depth)));
      case 'repeat':
        return e.repeat(lower(part.item, depth), part.min, part.max);
    }
  };
  const result = rule('root', MAX_DEPTH);
  if (result === NEVER) refuseRules(`no text of at most ${MAX_DEPTH} rules within each other fits it`);
  return result;
}

/** The rules that lead to themselves. */
function recursive(rules: ReadonlyMap<string, Part>): ReadonlySet<string> {
  const named = (part: Part): string[] => {
    if (part.kind === 'rule') return [part.name];
    if (part.kind === 'repeat') return named(part.item);
    return part.kind === 'choice' || part.kind === 'sequence' ? part.items.flatMap(named) : [];
  };
  const next = new Map([...rules].map(([name, part]) => [name, named(part)]));
  const leadsTo = (from: string): Set<string> => {
    const found = new Set<string>(next.get(from));
    for (const name of found) for (const further of next.get(name) ?? []) found.add(further);
    return found;
  };
  return new Set([...rules.keys()].filter((name) => leadsTo(name).has(name)));
}
