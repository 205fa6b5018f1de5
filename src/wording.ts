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

/** Options that one command has and no other door, by the command and the name that it gives the value. */
export type CommandOptionName = `${(typeof TABLED)[number]}.${string}`;

export type AnyOptionName = OptionName | CommandOptionName;

/** The commands whose options stand in tables of their own; `http`, `wire` and `common` are of several. */
const TABLED = [
  ...([
    'predict',
    'simulate',
    'bench',
    'benchKernels',
    'benchServe',
    'benchDisaggregate',
    'compare',
    'profile',
    'calibrate',
    'tune',
  ] as const),
  ...([
    'generate',
    'chat',
    'evaluate',
    'quantize',
    'serve',
    'http',
    'worker',
    'router',
    'cluster',
    'drain',
    'control',
    'explain',
    'wire',
  ] as const),
  ...(['web', 'devices', 'ledger', 'import', 'seeds', 'common'] as const),
] as const;

/** An option that a sentence speaks of, perhaps with a value to give it. */
export interface Mention<Name = AnyOptionName> {
  readonly option: Name;
  readonly value?: string | number;
}

/**
 * A sentence in which options stand as such, since library, command line and server have different names for them: who
 * shows it puts in its own.
 */
export type Wording = readonly (string | Mention)[];

export const option = (name: AnyOptionName, value?: string | number): Mention => ({ option: name, value });

export const isOfCommand = (name: AnyOptionName): name is CommandOptionName =>
  TABLED.some((command) => name.startsWith(`${command}.`));

/** `--weight-dtype` of `predict.weightDtype`. */
export const commandFlag = (name: CommandOptionName): string =>
  `--${name.slice(name.indexOf('.') + 1).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

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

/** The sentence with options in somebody's own words; those of a command have one name everywhere, their flag. */
export function spelt(wording: Wording, name: (mention: Mention<OptionName>) => string): string {
  return wording
    .map((part) => {
      if (typeof part === 'string') return part;
      const { option: mentioned, value } = part;
      if (!isOfCommand(mentioned)) return name({ option: mentioned, value });
      return value === undefined ? commandFlag(mentioned) : `${commandFlag(mentioned)} ${value}`;
    })
    .join('');
}
