import { AddedTokens } from './encoding/added-tokens.js';
import { affixesOf, type Affixes } from './encoding/affixes.js';
import { Encoder } from './encoding/encoder.js';
import { inSlices } from './slices.js';
import { TextStream } from './text-stream.js';
import { tokenBytes, type LeadingStrip, type TokenBytes } from './token-bytes.js';
import {
  findChatTemplate,
  parseTokenizerConfig,
  parseTokenizerJson,
  piecesById,
  specialTokenText,
  withAddedTokens,
  SPECIAL_TOKENS_FILE,
  type AddedToken,
  type TokenizerConfig,
  type TokenizerJson,
} from './files.js';

export interface EncodeOptions {
  /** Put the tokens around the text that the files ask for, in a Llama BOS in front; default true. */
  readonly addSpecialTokens?: boolean;
}

export interface DecodeOptions {
  /** Leave out BOS, EOS and other special tokens; default true. */
  readonly skipSpecialTokens?: boolean;
}

/** What may stand beside `tokenizer.json` and `tokenizer_config.json`. */
export interface TokenizerExtras {
  /** Text of `chat_template.jinja`, which stands before the configuration's template. */
  readonly chatTemplate?: string;
  /** The parsed `special_tokens_map.json`, for special tokens that `tokenizer_config.json` does not name. */
  readonly specialTokensMap?: unknown;
  /** The parsed `added_tokens.json`, of older folders. */
  readonly addedTokens?: unknown;
  /** Ids that the model's own files give, for special tokens that none of the tokenizer's files names. */
  readonly bosTokenId?: number;
  readonly eosTokenId?: number;
}

/**
 * A Hugging Face tokenizer. What text to ids needs is built at the first `encode` (a large merge table takes tens of
 * milliseconds; `prepare` does it earlier). Ids to text is done byte by byte, so that whole and incremental decoding are
 * one and the same.
 */
export class Tokenizer {
  /** Ids of the tokens the files mark special; decoding leaves them out unless told otherwise. */
  readonly specialIds: ReadonlySet<number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  /** `eosTokenId`, and that of `special_tokens_map.json` where the two files disagree: either ends a text. */
  readonly eosTokenIds: readonly number[];
  /** Jinja source, for `renderChat`; the second where tools are given, which is mostly the same. */
  readonly chatTemplate: string | undefined;
  readonly toolTemplate: string | undefined;
  /** Texts that are named as the end of a text, but are no token. */
  readonly unknownEnds: readonly string[];

  readonly #decoding: TokenBytes;
  readonly #addedIds: ReadonlyMap<string, number>;
  #encoder: Encoder | undefined;
  #affixes: Affixes | undefined;
  #pieces: (string | undefined)[] | undefined;
  #specials: AddedTokens | undefined;
  readonly #bytes: Uint8Array[] = [];
  readonly #json: TokenizerJson;
  readonly #config: TokenizerConfig;

  private constructor(json: TokenizerJson, config: TokenizerConfig, extras: TokenizerExtras) {
    this.#json = json;
    this.#config = config;
    this.#decoding = tokenBytes(json.decoder);
    this.#addedIds = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
    const map = parseTokenizerConfig(extras.specialTokensMap, SPECIAL_TOKENS_FILE);
    // Both are read whatever the first says, so that a damaged second is told of.
    const texts = (key: string): readonly string[] =>
      [specialTokenText(config, key), specialTokenText(map, key, SPECIAL_TOKENS_FILE)].filter(
        (text) => text !== undefined,
      );
    const named = (key: string): string | undefined => texts(key)[0];
    this.bosToken = named('bos_token') ?? this.#pieceOf(extras.bosTokenId);
    this.eosToken = named('eos_token') ?? this.#pieceOf(extras.eosTokenId);
    this.bosTokenId = this.#idOf(this.bosToken);
    this.eosTokenId = this.#idOf(this.eosToken);
    const ends = [this.eosToken, ...texts('eos_token')].map((text) => this.#idOf(text));
    this.eosTokenIds = [...new Set(ends.filter((id) => id !== undefined))];
    const others = ['unk_token', 'pad_token'].map((key) => this.#idOf(named(key)));
    const marked = json.added_tokens.filter(({ special }) => special).map(({ id }) => id);
    const special = [...marked, this.bosTokenId, ...this.eosTokenIds, ...others];
    this.specialIds = new Set(special.filter((id) => id !== undefined));
    this.chatTemplate = findChatTemplate(config, extras.chatTemplate);
    this.toolTemplate = findChatTemplate(config, extras.chatTemplate, 'tool_use');
    this.unknownEnds = texts('eos_token').filter((text) => text !== '' && this.#idOf(text) === undefined);
  }

  /**
   * @param tokenizerJson the parsed `tokenizer.json`
   * @param tokenizerConfig the parsed `tokenizer_config.json`; undefined where the folder has none
   * @throws RidgepointError ('checkpoint') naming the file and the field that is malformed or not supported
   */
  static fromJson(tokenizerJson: unknown, tokenizerConfig: unknown, extras: TokenizerExtras = {}): Tokenizer {
    const config = parseTokenizerConfig(tokenizerConfig);
    const json = withAddedTokens(parseTokenizerJson(tokenizerJson), config, extras.addedTokens);
    return new Tokenizer(json, config, extras);
  }

  /** One more than the highest id. A model's vocabulary may be larger, padded to a round number. */
  get vocabSize(): number {
    return this.#byId().length;
  }

  /** Builds what `encode` needs, so that the first prompt need not wait for it; call it while weights load. */
  prepare(): void {
    this.#encoder ??= new Encoder(this.#json);
    this.#affixes ??= this.#findAffixes();
  }

  /**
   * Ids of a text. Special tokens written out in the text become their ids, as everywhere in Hugging Face; a BOS is
   * not added to a text that begins with one.
   * @throws RidgepointError ('checkpoint') if `tokenizer.json` has a part that cannot be built
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    this.prepare();
    return this.#withAffixes(this.#encoder!.encode(text), options);
  }

  /** As `encode`, a few milliseconds at a time, so that a long text keeps nobody waiting. */
  async encodeInSlices(text: string, options: EncodeOptions = {}, signal?: AbortSignal): Promise<number[]> {
    this.prepare();
    const ids: number[] = [];
    await inSlices(this.#encoder!.steps(text, ids), signal);
    return this.#withAffixes(ids, options);
  }

  #withAffixes(ids: number[], options: EncodeOptions): number[] {
    if (options.addSpecialTokens === false) return ids;
    const { prefix, suffix } = (this.#affixes ??= this.#findAffixes());
    const present = prefix.length > 0 && prefix.every((id, i) => ids[i] === id);
    return [...(present ? [] : prefix), ...ids, ...suffix];
  }

  /**
   * Text of ids. Ids without a piece give nothing, bytes that are no character give U+FFFD. Blanks before punctuation
   * stay, whatever `clean_up_tokenization_spaces` says: a generated text is what the model wrote.
   */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    const skip = options.skipSpecialTokens ?? true;
    const parts: Uint8Array[] = [];
    let length = 0;
    for (const id of ids) {
      if (skip && this.specialIds.has(id)) continue;
      const bytes = this.bytesOf(id);
      parts.push(bytes);
      length += bytes.length;
    }
    const joined = new Uint8Array(length);
    let offset = 0;
    for (const part of parts) {
      joined.set(part, offset);
      offset += part.length;
    }
    const stream = new TextStream(this.strip);
    return stream.write(joined) + stream.end();
  }

  /** UTF-8 bytes a token stands for, possibly part of a character; none for an id without a piece. */
  bytesOf(id: number): Uint8Array {
    const known = this.#bytes[id];
    if (known !== undefined) return known;
    const piece = this.#byId()[id];
    if (piece === undefined) return new Uint8Array(0);
    return (this.#bytes[id] = this.#decoding.bytes(piece, this.#addedIds.get(piece) === id));
  }

  /** The special tokens that are written out in a text. */
  specialsIn(text: string): AddedToken[] {
    this.#specials ??= new AddedTokens(
      [...this.specialIds].map((id) => {
        const content = this.#byId()[id] ?? '';
        return [content, { id, content }] as const;
      }),
    );
    return [...this.#specials.split(text)].flatMap((section) => section?.token ?? []);
  }

  /** The id of a special token by its name. */
  specialId(name: string): number | undefined {
    return [...this.specialIds].find((id) => this.#byId()[id] === name);
  }

  /** What decoding drops from the very start of a text. */
  get strip(): LeadingStrip {
    return this.#decoding.strip;
  }

  #byId(): (string | undefined)[] {
    return (this.#pieces ??= piecesById(this.#json));
  }

  #idOf(token: string | undefined): number | undefined {
    if (token === undefined) return undefined;
    const { vocab } = this.#json.model;
    if (this.#addedIds.has(token)) return this.#addedIds.get(token);
    if (!Array.isArray(vocab)) {
      return Object.hasOwn(vocab, token) ? (vocab as Readonly<Record<string, number>>)[token] : undefined;
    }
    const index = this.#byId().indexOf(token);
    return index < 0 ? undefined : index;
  }

  #pieceOf(id: number | undefined): string | undefined {
    return id === undefined ? undefined : this.#byId()[id];
  }

  /**
   * The post-processor's special tokens. `add_bos_token` and `add_eos_token` of `tokenizer_config.json`, where present,
   * overrule it, as transformers' Llama tokenizer does.
   */
  #findAffixes(): Affixes {
    const { prefix, suffix } = affixesOf(this.#json['post_processor'], (token) => this.#idOf(token));
    const affix = (ids: readonly number[], key: string, id: number | undefined): readonly number[] => {
      const wanted = this.#config[key];
      if (typeof wanted !== 'boolean' || id === undefined || wanted === ids.includes(id)) return ids;
      return wanted ? [id] : ids.filter((other) => other !== id);
    };
    return {
      prefix: affix(prefix, 'add_bos_token', this.bosTokenId),
      suffix: affix(suffix, 'add_eos_token', this.eosTokenId),
    };
  }
}
