import type { ModelFacts } from '../../../engine/api.js';
import { RidgepointError } from '../../../errors.js';

/** A model that cannot be asked how likely a text is is refused before its weights are fetched. */
export function readsText({ model, hasTokenizer, whyNoText }: ModelFacts): void {
  if (whyNoText !== undefined) throw new RidgepointError('usage', whyNoText);
  if (hasTokenizer) return;
  throw new RidgepointError('usage', `${model} has no tokenizer.json, so no text can be evaluated with it`);
}
