import { isObject, malformed, TOKENIZER_FILE } from '../files.js';

/** Special ids that encoding puts before and after a text. */
export interface Affixes {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/**
 * Reads the `post_processor` of a `tokenizer.json`, as it is for a single text.
 *
 * @param idOf the id of a token
 * @throws RidgepointError naming a token without an id, or a post-processor that is not supported
 */
export function affixesOf(config: unknown, idOf: (token: string) => number | undefined): Affixes {
  if (config === null || config === undefined) return { prefix: [], suffix: [] };
  if (!isObject(config)) malformed(TOKENIZER_FILE, `post-processor ${JSON.stringify(config)} is not an object`);
  switch (config['type']) {
    case 'ByteLevel':
      return { prefix: [], suffix: [] };
    case 'Sequence': {
      const list = config['processors'];
      if (!Array.isArray(list)) malformed(TOKENIZER_FILE, '"post_processor" of type "Sequence" must list "processors"');
      const none: Affixes = { prefix: [], suffix: [] };
      // The first processor is the innermost.
      return list
        .map((each) => affixesOf(each, idOf))
        .reduce(
          (inner, outer) => ({
            prefix: [...outer.prefix, ...inner.prefix],
            suffix: [...inner.suffix, ...outer.suffix],
          }),
          none,
        );
    }
    case 'TemplateProcessing':
      return template(config, idOf);
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const one = (key: string): number[] => {
        const [token, id] = Array.isArray(config[key]) ? (config[key] as unknown[]) : [];
        return [typeof id === 'number' ? id : (idOf(String(token)) ?? lost(String(token)))];
      };
      return { prefix: one('cls'), suffix: one('sep') };
    }
  }
  return malformed(TOKENIZER_FILE, `post-processor ${JSON.stringify(config).slice(0, 200)} is not supported`);
}

function template(config: Record<string, unknown>, idOf: (token: string) => number | undefined): Affixes {
  const prefix: number[] = [];
  const suffix: number[] = [];
  const tokens = isObject(config['special_tokens']) ? config['special_tokens'] : {};
  let into = prefix;
  for (const item of Array.isArray(config['single']) ? (config['single'] as unknown[]) : []) {
    if (!isObject(item)) malformed(TOKENIZER_FILE, '"post_processor" must list objects under "single"');
    if (isObject(item['SpecialToken'])) {
      const token = String(item['SpecialToken']['id']);
      const described = Object.hasOwn(tokens, token) ? tokens[token] : undefined;
      const ids: unknown = isObject(described) ? described['ids'] : undefined;
      if (Array.isArray(ids) && ids.every((id) => typeof id === 'number')) into.push(...ids);
      else into.push(idOf(token) ?? lost(token));
    } else into = suffix;
  }
  return { prefix, suffix };
}

function lost(token: string): never {
  malformed(TOKENIZER_FILE, `names a token in "post_processor" that has no id, ${JSON.stringify(token)}`);
}
