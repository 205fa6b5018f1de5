import type { TextEngine, TokenConstraint } from '../../engine/api.js';
import { TokenRules } from '../../grammar/token-rules.js';
import { badRequest } from '../errors.js';
import { Turns } from '../http/turns.js';

interface RuleFields {
  readonly allowed_token_ids?: readonly number[];
  readonly bad_words?: readonly string[];
}

/**
 * What puts `allowed_token_ids` and `bad_words` on top of a generation's constraint, if there are any.
 *
 * @throws ApiError (400) for an id that is not in the vocabulary
 */
export async function tokenRules(
  { allowed_token_ids: allowed, bad_words: words = [] }: RuleFields,
  engine: TextEngine,
): Promise<(inner: TokenConstraint | undefined) => TokenConstraint | undefined> {
  if (allowed === undefined && words.length === 0) return (inner) => inner;
  const { vocab } = engine.config;
  const strange = allowed?.find((id) => id >= vocab);
  if (strange !== undefined) {
    const what = `token id ${strange} is not in the vocabulary, whose ids are 0 to ${vocab - 1}`;
    throw badRequest(`allowed_token_ids: ${what}`, 'allowed_token_ids');
  }
  const never: (readonly number[])[] = [];
  const turns = new Turns();
  for (const word of words) {
    await turns.pause();
    never.push(...spellings(word, engine));
  }
  return (inner) => new TokenRules({ allowed, never }, vocab, inner);
}

/** A word as it is tokenized at the beginning of a text and behind a blank. */
function spellings(word: string, engine: TextEngine): readonly (readonly number[])[] {
  const bare = word.replace(/^ +/, '');
  return [bare, ` ${bare}`]
    .map((text) => engine.tokenize(text, { addSpecialTokens: false }))
    .filter((ids) => ids.length > 0);
}
