/** The options of the library, as it spells them. What each takes, and its names elsewhere: `src/engine/options`. */
export type OptionName = EngineOptionName | GenerateOptionName;

export type EngineOptionName =
  | 'model'
  | 'adapter'
  | 'dtype'
  | 'groupSize'
  | 'zeroPoints'
  | 'headDtype'
  | 'activations'
  | 'kvDtype'
  | 'weights'
  | 'chatTemplate'
  | 'contextLength'
  | 'policy'
  | 'maxSequences'
  | 'maxBatchedTokens'
  | 'prefillChunk'
  | 'autotune'
  | 'kvCacheTokens'
  | 'kvCacheBytes'
  | 'kvReserve'
  | 'logitRows'
  | 'prefixCaching'
  | 'pooling'
  | 'speculate.tokens'
  | 'speculate.lookup'
  | 'decodeSloMs'
  | 'checkWeights';

export type GenerateOptionName =
  | 'maxTokens'
  | 'temperature'
  | 'topK'
  | 'topP'
  | 'minP'
  | 'repetitionPenalty'
  | 'presencePenalty'
  | 'frequencyPenalty'
  | 'logitBias'
  | 'seed'
  | 'stop'
  | 'stopIds'
  | 'ignoreEos'
  | 'minTokens'
  | 'includeStop'
  | 'skipSpecialTokens'
  | 'logprobs'
  | 'priority';

/** An option that a sentence speaks of, perhaps with a value to give it. */
export interface Mention {
  readonly option: OptionName;
  readonly value?: string | number;
}

/**
 * A sentence in which options stand as such, since library, command line and server have different names for them: who
 * shows it puts in its own.
 */
export type Wording = readonly (string | Mention)[];

export const option = (name: OptionName, value?: string | number): Mention => ({ option: name, value });

/** A template of a sentence; what stands in `${}` is text, or an option by `option()`. */
export function words(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Mention | Wording)[]
): Wording {
  return strings.flatMap((text, at) => {
    if (at === values.length) return [text];
    const value = values[at];
    if (typeof value === 'object') return 'option' in value ? [text, value] : [text, ...value];
    return [text, String(value)];
  });
}

/** The sentence as the library says it. */
export const inLibraryWords = (wording: Wording): string =>
  spelt(wording, ({ option: name, value }) => (value === undefined ? name : `${name} ${value}`));

/** The sentence with options in somebody's own words. */
export function spelt(wording: Wording, name: (mention: Mention) => string): string {
  return wording.map((part) => (typeof part === 'string' ? part : name(part))).join('');
}
