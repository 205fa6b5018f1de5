import { RidgepointError } from '../errors.js';
import { elementWriting, keywordWriting } from './bare.js';
import { SchemaCompiler } from './compile.js';
import { NEVER, type Expression } from './expression.js';
import type { Expressions } from './expressions.js';
import { gbnf } from './gbnf.js';
import type { Grammar } from './grammar.js';
import { intersect } from './intersect.js';
import { PYTHON_WORDS } from './json.js';
import { pattern, PatternError, PLAIN } from './pattern.js';
import { SPECIAL_BYTE } from './special-bytes.js';

function refuseForm(what: string): never {
  throw new RidgepointError('usage', `the form of the text cannot be used: ${what}`);
}

const anything = (e: Expressions): Expression => e.constant('anything', () => e.repeat(e.range(0, 0xff), 0, Infinity));

/** All texts but those of `without`. */
function besides(e: Expressions, without: Expression): Expression {
  return intersect(e, [anything(e)], [without]) ?? refuseForm('it has too many states; simplify it');
}

/**
 * The texts of a grammar as one expression.
 *
 * @throws RidgepointError ('usage') for a schema, pattern or rule that is malformed or not supported
 */
export function lowered(e: Expressions, grammar: Grammar): Expression {
  e.work.spend(1);
  switch (grammar.kind) {
    case 'json':
    case 'keywords':
    case 'elements':
      return ofSchema(e, grammar);
    case 'text':
      return e.text(grammar.text);
    case 'marker':
      return e.choice(e.text(grammar.text), e.sequence(e.range(SPECIAL_BYTE, SPECIAL_BYTE), e.text(grammar.text)));
    case 'pattern':
      return ofPattern(e, grammar.source);
    case 'white':
      return e.repeat(e.oneOf(' \n\t\r'), 0, grammar.max ?? Infinity);
    case 'free':
      return e.constant(`free of ${JSON.stringify(grammar.without)}`, () => {
        const found = e.choice(...grammar.without.map((text) => e.text(text)));
        return besides(e, e.sequence(anything(e), found, anything(e)));
      });
    case 'otherwise':
      return besides(e, e.sequence(lowered(e, grammar.begins), anything(e)));
    case 'sequence':
      return e.sequence(...grammar.items.map((item) => lowered(e, item)));
    case 'choice':
      return e.choice(...grammar.items.map((item) => lowered(e, item)));
    case 'repeat':
      return e.repeat(lowered(e, grammar.item), grammar.min, grammar.max ?? Infinity);
    case 'gbnf':
      return gbnf(e, grammar.source);
  }
}

function ofSchema(
  e: Expressions,
  { kind, schema, of }: Extract<Grammar, { readonly kind: 'json' | 'keywords' | 'elements' }>,
): Expression {
  try {
    if (kind === 'keywords') return new SchemaCompiler(e, schema, PYTHON_WORDS).bare(keywordWriting(e));
    if (kind === 'elements') return new SchemaCompiler(e, schema).bare(elementWriting(e, schema));
    return new SchemaCompiler(e, schema === undefined ? { type: 'object' } : schema).compile();
  } catch (error) {
    if (of === undefined || !(error instanceof RidgepointError)) throw error;
    throw new RidgepointError('usage', `${of}: ${error.message}`, { cause: error });
  }
}

function ofPattern(e: Expressions, source: string): Expression {
  try {
    const result = pattern(e, source, PLAIN);
    if (result === NEVER) refuseForm(`the pattern ${JSON.stringify(source)} matches no text`);
    return result;
  } catch (error) {
    if (error instanceof PatternError) refuseForm(`the pattern ${JSON.stringify(source)} ${error.message}`);
    throw error;
  }
}
