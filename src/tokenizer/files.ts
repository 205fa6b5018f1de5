import { RidgepointError } from '../errors.js';

/** What is read here of Hugging Face's `tokenizer.json`; the rest is passed on to the encoder untouched. */
export interface TokenizerJson {
  readonly model: {
    readonly vocab: Readonly<Record<string, number>> | readonly (readonly [string, number])[];
    readonly [key: string]: unknown;
  };
  readonly added_tokens: readonly AddedToken[];
  readonly decoder: unknown;
  readonly [key: string]: unknown;
}

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
  /** Looked for in the text as normalising leaves it; by default where the token is not special. */
  readonly normalized?: boolean;
  /** Found only where neither neighbour is part of a word. */
  readonly single_word?: boolean;
  /** Takes the blanks before or behind it along. */
  readonly lstrip?: boolean;
  readonly rstrip?: boolean;
}

/** `tokenizer_config.json`; which of its fields are used is said where they are. */
export type TokenizerConfig = Readonly<Record<string, unknown>>;

export const TOKENIZER_FILE = 'tokenizer.json';
export const CONFIG_FILE = 'tokenizer_config.json';
export const ADDED_TOKENS_FILE = 'added_tokens.json';
export const SPECIAL_TOKENS_FILE = 'special_tokens_map.json';

/** So much of a message is shown, which may quote a part of the file. */
const MOST_SHOWN = 400;

/** Throws the error of a malformed file. */
export function malformed(file: string, message: string, cause?: unknown): never {
  const shown = message.length > MOST_SHOWN ? `${message.slice(0, MOST_SHOWN)}...` : message;
  throw new RidgepointError('checkpoint', `${file}: ${shown}`, { cause });
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Checks as much of a `tokenizer.json` as loading needs, and fills in what older files leave out. */
export function parseTokenizerJson(json: unknown): TokenizerJson {
  if (!isObject(json)) malformed(TOKENIZER_FILE, 'must hold a JSON object');
  const { model, added_tokens: added = [] } = json;
  if (!isObject(model)) malformed(TOKENIZER_FILE, '"model" is missing; it must hold the vocabulary');
  const { vocab } = model;
  const entries = Array.isArray(vocab) ? vocab : isObject(vocab) ? Object.keys(vocab) : [];
  if (entries.length === 0) malformed(TOKENIZER_FILE, '"model.vocab" is missing or empty');
  if ((model['type'] ?? 'BPE') === 'BPE' && !Array.isArray(model['merges'])) {
    malformed(TOKENIZER_FILE, '"model.merges" must be a list of merges');
  }
  if (!Array.isArray(added)) malformed(TOKENIZER_FILE, '"added_tokens" must be a list');
  for (const token of added as unknown[]) {
    if (!isObject(token) || typeof token['content'] !== 'string' || !isTokenId(token['id'])) {
      malformed(TOKENIZER_FILE, `"added_tokens" must have "id" and "content" each, found ${JSON.stringify(token)}`);
    }
  }
  const parts = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return { ...parts, ...json, added_tokens: added } as unknown as TokenizerJson;
}

/** Checks a `tokenizer_config.json` or `special_tokens_map.json`; a folder without one gives no configuration. */
export function parseTokenizerConfig(json: unknown, file = CONFIG_FILE): TokenizerConfig {
  if (json === undefined || json === null) return {};
  if (!isObject(json)) malformed(file, 'must hold a JSON object');
  return json;
}

/** Text of a special token such as `bos_token`: older files hold a string, newer ones an object with `content`. */
export function specialTokenText(config: TokenizerConfig, key: string, file = CONFIG_FILE): string | undefined {
  const value = config[key];
  if (value === undefined || value === null) return undefined;
  const text = isObject(value) ? value['content'] : value;
  if (typeof text !== 'string') malformed(file, `"${key}" must be a token, found ${JSON.stringify(value)}`);
  return text;
}

/** Pieces by id, holes where no piece has that id. An added token stands before a piece of the same id. */
export function piecesById(json: TokenizerJson): (string | undefined)[] {
  const { vocab } = json.model;
  const pieces: (string | undefined)[] = [];
  if (Array.isArray(vocab)) {
    for (const [piece] of vocab as (readonly [string, number])[]) pieces.push(piece); // Unigram: the order is the id
  } else {
    for (const [piece, id] of Object.entries(vocab)) {
      if (!isTokenId(id)) malformed(TOKENIZER_FILE, `"model.vocab" gives ${JSON.stringify(piece)} no valid id`);
      pieces[id] = piece;
    }
  }
  for (const { id, content } of json.added_tokens) pieces[id] = content;
  return pieces;
}

function isTokenId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 2 ** 24;
}

/**
 * Tokens that stand beside `tokenizer.json`: `added_tokens_decoder` of `tokenizer_config.json`, by id, or the older
 * `added_tokens.json`, by text. transformers adds to the tokenizer what it lacks, and marks special what they mark.
 */
export function withAddedTokens(json: TokenizerJson, config: TokenizerConfig, addedTokens: unknown): TokenizerJson {
  const decoder = config['added_tokens_decoder'];
  const beside: AddedToken[] = [];
  if (isObject(decoder)) {
    for (const [id, token] of Object.entries(decoder)) {
      if (!isObject(token) || typeof token['content'] !== 'string' || !/^\d+$/.test(id) || !isTokenId(Number(id))) {
        malformed(CONFIG_FILE, `"added_tokens_decoder" must give a token to each id, found ${JSON.stringify(token)}`);
      }
      beside.push({ ...(token as unknown as AddedToken), id: Number(id) });
    }
  } else if (addedTokens !== undefined && addedTokens !== null) {
    if (!isObject(addedTokens)) malformed(ADDED_TOKENS_FILE, 'must hold a JSON object');
    const named = ['bos_token', 'eos_token', 'unk_token', 'pad_token'].map((key) => specialTokenText(config, key));
    for (const [content, id] of Object.entries(addedTokens)) {
      if (!isTokenId(id)) malformed(ADDED_TOKENS_FILE, `gives ${JSON.stringify(content)} no valid id`);
      const special = named.includes(content);
      beside.push({ id, content, special, normalized: !special });
    }
  }
  if (beside.length === 0) return json;
  const known = new Map(json.added_tokens.map((token) => [token.content, token]));
  for (const token of beside) {
    const old = known.get(token.content);
    if (old === undefined) known.set(token.content, token);
    else if (token.special === true && old.special !== true) known.set(token.content, { ...old, special: true });
  }
  return { ...json, added_tokens: [...known.values()] };
}

/**
 * The chat template of a model folder: that of `chat_template.jinja` where there is one, as in transformers, else
 * `chat_template` in `tokenizer_config.json`, a string or several by name, of which `default` is taken.
 *
 * @param wanted the name of the one that is looked for before, such as `tool_use`
 */
export function findChatTemplate(config: TokenizerConfig, jinjaFile?: string, wanted?: string): string | undefined {
  if (jinjaFile !== undefined) return jinjaFile;
  const value = config['chat_template'];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return value;
  const byName = isObject(value) && Object.values(value).every((template) => typeof template === 'string');
  const list: unknown[] = Array.isArray(value)
    ? value
    : byName && !('template' in value)
      ? Object.entries(value).map(([name, template]) => ({ name, template }))
      : [value];
  const named = list.map((entry) => {
    if (!isObject(entry) || typeof entry['template'] !== 'string') {
      malformed(CONFIG_FILE, '"chat_template" must be a string or a list of {"name", "template"}');
    }
    return { name: entry['name'], template: entry['template'] };
  });
  const found = named.find(({ name }) => name === wanted) ?? named.find(({ name }) => name === 'default');
  return (found ?? named[0])?.template;
}
