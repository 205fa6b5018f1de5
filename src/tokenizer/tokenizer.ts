import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { TextStream } from './text-stream.js';
import { tokenBytes, type LeadingStrip, type TokenBytes } from './token-bytes.js';
import {
  findChatTemplate,
  malformed,
  parseTokenizerConfig,
  parseTokenizerJson,
  piecesById,
  specialTokenText,
  TOKENIZER_FILE,
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

/** The part of `@huggingface/tokenizers` used here; its own declarations do not resolve under NodeNext. */
interface Encoder {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] };
}
const EncoderOf = HuggingFaceTokenizer as unknown as new (json: TokenizerJson, config: TokenizerConfig) => Encoder;

/** Special ids that encoding puts before and after a text. */
interface Affixes {
  readonly prefix: readonly number[];
  readonly suffix: readonly number[];
}

/**
 * A Hugging Face tokenizer. Text to ids is done by `@huggingface/tokenizers`, built at the first `encode` (a large
 * merge table takes tens of milliseconds; `prepare` does it earlier). Ids to text is done here, byte by byte, so that
 * whole and incremental decoding are one and the same.
 */
export class Tokenizer {
  /** Ids of the tokens the files mark special; decoding leaves them out unless told otherwise. */
  readonly specialIds: ReadonlySet<number>;
  readonly bosToken: string | undefined;
  readonly eosToken: string | undefined;
  readonly bosTokenId: number | undefined;
  readonly eosTokenId: number | undefined;
  /** Jinja source, for `renderChat`. */
  readonly chatTemplate: string | undefined;

  private readonly decoding: TokenBytes;
  private readonly addedIds: ReadonlyMap<string, number>;
  private encoder: Encoder | undefined;
  private affixes: Affixes | undefined;
  private pieces: (string | undefined)[] | undefined;
  private readonly bytes: Uint8Array[] = [];

  private constructor(
    private readonly json: TokenizerJson,
    private readonly config: TokenizerConfig,
    chatTemplate: string | undefined,
  ) {
    this.decoding = tokenBytes(json.decoder);
    this.addedIds = new Map(json.added_tokens.map(({ content, id }) => [content, id]));
    this.bosToken = specialTokenText(config, 'bos_token');
    this.eosToken = specialTokenText(config, 'eos_token');
    this.bosTokenId = this.idOf(this.bosToken);
    this.eosTokenId = this.idOf(this.eosToken);
    const named = ['unk_token', 'pad_token'].map((key) => this.idOf(specialTokenText(config, key)));
    const marked = json.added_tokens.filter(({ special }) => special).map(({ id }) => id);
    const special = [...marked, this.bosTokenId, this.eosTokenId, ...named];
    this.specialIds = new Set(special.filter((id) => id !== undefined));
    this.chatTemplate = findChatTemplate(config, chatTemplate);
  }

  /**
   * @param tokenizerJson the parsed `tokenizer.json`
   * @param tokenizerConfig the parsed `tokenizer_config.json`; undefined where the folder has none
   * @param extra.chatTemplate text of `chat_template.jinja`, which stands before the configuration's template
   * @throws RidgepointError ('checkpoint') naming the file and the field that is malformed or not supported
   */
  static fromJson(tokenizerJson: unknown, tokenizerConfig: unknown, extra: { chatTemplate?: string } = {}): Tokenizer {
    return new Tokenizer(parseTokenizerJson(tokenizerJson), parseTokenizerConfig(tokenizerConfig), extra.chatTemplate);
  }

  /** One more than the highest id. A model's vocabulary may be larger, padded to a round number. */
  get vocabSize(): number {
    return this.byId().length;
  }

  /** Builds what `encode` needs, so that the first prompt need not wait for it; call it while weights load. */
  prepare(): void {
    this.affixes ??= this.findAffixes();
  }

  /**
   * Ids of a text. Special tokens written out in the text become their ids, as everywhere in Hugging Face; a BOS is
   * not added to a text that begins with one.
   * @throws RidgepointError ('checkpoint') if `tokenizer.json` has a part that cannot be built
   */
  encode(text: string, options: EncodeOptions = {}): number[] {
    const ids = this.encodePlain(text);
    if (options.addSpecialTokens === false) return ids;
    const { prefix, suffix } = (this.affixes ??= this.findAffixes());
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
    const known = this.bytes[id];
    if (known !== undefined) return known;
    const piece = this.byId()[id];
    if (piece === undefined) return new Uint8Array(0);
    return (this.bytes[id] = this.decoding.bytes(piece, this.addedIds.get(piece) === id));
  }

  /** What decoding drops from the very start of a text. */
  get strip(): LeadingStrip {
    return this.decoding.strip;
  }

  private byId(): (string | undefined)[] {
    return (this.pieces ??= piecesById(this.json));
  }

  private idOf(token: string | undefined): number | undefined {
    if (token === undefined) return undefined;
    const { vocab } = this.json.model;
    if (this.addedIds.has(token)) return this.addedIds.get(token);
    if (!Array.isArray(vocab)) return (vocab as Readonly<Record<string, number>>)[token];
    const index = this.byId().indexOf(token);
    return index < 0 ? undefined : index;
  }

  private encodePlain(text: string, addSpecialTokens = false): number[] {
    if (this.encoder === undefined) {
      try {
        this.encoder = new EncoderOf(this.json, this.config);
      } catch (error) {
        malformed(TOKENIZER_FILE, `cannot be used: ${(error as Error).message}`, error);
      }
    }
    const ids = this.encoder.encode(text, { add_special_tokens: addSpecialTokens }).ids;
    if (ids.includes(undefined)) malformed(TOKENIZER_FILE, 'names a token in "post_processor" that has no id');
    return ids as number[];
  }

  /**
   * The post-processor's special tokens, seen by encoding a letter with and without them. `add_bos_token` and
   * `add_eos_token` of `tokenizer_config.json`, where present, overrule it, as transformers' Llama tokenizer does.
   */
  private findAffixes(): Affixes {
    const plain = this.encodePlain('a');
    const full = this.encodePlain('a', true);
    // A vocabulary without the letter shows only the special tokens, and those a Llama puts in front.
    const start =
      plain.length === 0 ? full.length : full.findIndex((_, i) => plain.every((id, j) => full[i + j] === id));
    const affix = (ids: number[], key: string, id: number | undefined): number[] => {
      const wanted = this.config[key];
      if (typeof wanted !== 'boolean' || id === undefined || wanted === ids.includes(id)) return ids;
      return wanted ? [id] : ids.filter((other) => other !== id);
    };
    return {
      prefix: affix(full.slice(0, start), 'add_bos_token', this.bosTokenId),
      suffix: affix(full.slice(start + plain.length), 'add_eos_token', this.eosTokenId),
    };
  }
}
