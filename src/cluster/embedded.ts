import type { Embeddings, EngineStats, GenerateOptions, Generation, Prompt, TextEngine } from '../engine/api.js';
import type { CoreEngine } from '../engine/engine.js';
import { RidgepointError } from '../errors.js';
import { generateFrom, type KvSource } from './bring.js';
import { TransferCounts } from './counts.js';
import { layoutDifference } from './layout.js';

/** An engine of this process that computes prompts for another one. */
function embeddedSource(engine: CoreEngine): KvSource {
  return {
    name: engine.info.adapter,
    pieces: (promptIds, from, signal) => engine.kv.prefill(promptIds, { from, signal }),
  };
}

/**
 * An engine whose prompts are computed elsewhere. Keys and values come block by block, while the prompt is still being
 * computed.
 */
export class PairedEngine implements TextEngine {
  readonly transfers = new TransferCounts();
  readonly #source: KvSource;
  readonly #close: () => Promise<void>;

  /** @param close of what the source needs */
  constructor(
    readonly decode: CoreEngine,
    source: KvSource,
    close: () => Promise<void>,
  ) {
    this.#source = source;
    this.#close = close;
  }

  /**
   * Two engines of one process as one; both are disposed with it.
   *
   * @throws RidgepointError where they cannot exchange keys and values
   */
  static async create(prefill: CoreEngine, decode: CoreEngine): Promise<PairedEngine> {
    const difference = layoutDifference(await decode.kv.layout(), await prefill.kv.layout());
    if (difference !== undefined) {
      const { adapter } = prefill.info;
      throw new RidgepointError('usage', `${adapter} cannot compute prompts for ${decode.info.adapter}: ${difference}`);
    }
    return new PairedEngine(decode, embeddedSource(prefill), () => prefill.dispose());
  }

  generate(prompt: Prompt, options: GenerateOptions = {}): Generation {
    return generateFrom(this.decode, prompt, options, { source: this.#source, counts: this.transfers });
  }

  /** Hidden states are of the engine that decodes: they do not travel. */
  embed(...asked: Parameters<CoreEngine['embed']>): Promise<Embeddings> {
    return this.decode.embed(...asked);
  }

  /** Who computes prompts. */
  get source(): string {
    return this.#source.name;
  }

  get info(): CoreEngine['info'] {
    return this.decode.info;
  }
  get config(): CoreEngine['config'] {
    return this.decode.config;
  }
  get timings(): CoreEngine['timings'] {
    return this.decode.timings;
  }
  get vocabulary(): CoreEngine['vocabulary'] {
    return this.decode.vocabulary;
  }
  get defaults(): CoreEngine['defaults'] {
    return this.decode.defaults;
  }
  get hasTokenizer(): boolean {
    return this.decode.hasTokenizer;
  }
  get chatTemplate(): string | undefined {
    return this.decode.chatTemplate;
  }
  get hasChatTemplate(): boolean {
    return this.decode.hasChatTemplate;
  }
  /** The other one's loss costs time only. */
  get failure(): Error | undefined {
    return this.decode.failure;
  }

  tokenBytes(id: number): Uint8Array {
    return this.decode.tokenBytes(id);
  }
  chatText(...asked: Parameters<TextEngine['chatText']>): string {
    return this.decode.chatText(...asked);
  }
  chatTextAside(...asked: Parameters<TextEngine['chatTextAside']>): Promise<string> {
    return this.decode.chatTextAside(...asked);
  }
  chatPrompt(...asked: Parameters<TextEngine['chatPrompt']>): number[] {
    return this.decode.chatPrompt(...asked);
  }
  tokenize(...[text, options]: Parameters<TextEngine['tokenize']>): number[] {
    return this.decode.tokenize(text, options);
  }
  tokenizeInSlices(...[text, options]: Parameters<TextEngine['tokenizeInSlices']>): Promise<number[]> {
    return this.decode.tokenizeInSlices(text, options);
  }
  detokenize(ids: readonly number[]): string {
    return this.decode.detokenize(ids);
  }
  stats(): EngineStats {
    return this.decode.stats();
  }

  async dispose(): Promise<void> {
    await this.decode.dispose();
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}
