import { compilePattern } from './javascript.js';
import { Search } from './search.js';

/**
 * Whether texts begin with an expression, as `match` of Python's `re` tells it, in a time that grows with the text's
 * length whatever the expression is.
 *
 * @throws Error for an expression that is too long, or refers back to what a group has matched
 */
export function beginsWith(expression: RegExp): (text: string) => boolean {
  const { source, flags } = expression;
  const search = new Search(compilePattern(new RegExp(`(?<![^])(?:${source})`, flags)));
  return (text) => {
    search.open(text);
    for (;;) {
      const found = search.next(0);
      if (found !== undefined) return found;
    }
  };
}
