import { RidgepointError } from '../../errors.js';
import type { BatchShape } from '../../model/operations.js';
import type { Predictor } from '../../roofline/predict/predictor.js';
import { numbersOf, parseCsv } from './csv.js';
import { PredictedPrice } from './predicted.js';
import type { StepLoad, StepPrice } from './price.js';
import { MeasuredTable } from './table.js';
import { vidurAllReduces } from './vidur-all-reduces.js';

/** What a layer runs beside attention, in the columns of Vidur's `mlp.csv`, in milliseconds. */
const LAYER = [
  'input_layernorm',
  'attn_pre_proj',
  'attn_rope',
  'attn_post_proj',
  'post_attention_layernorm',
  'mlp_up_proj',
  'mlp_act',
  'mlp_down_proj',
  'add',
].map((name) => `time_stats.${name}.median`);
const [TOKENS, PARALLEL, HIDDEN] = ['num_tokens', 'num_tensor_parallel_workers', 'n_embd'];

/** A file of measurements, and what errors call it. */
export interface MeasuredFile {
  readonly text: string;
  readonly name: string;
}

/** Whether a file with these columns is a profile of linear layers in Vidur's format (microsoft/vidur). */
export const isVidurProfile = (header: readonly string[]): boolean =>
  [TOKENS, PARALLEL, HIDDEN, ...LAYER].every((column) => header.includes(column));

/**
 * The predicted price of a step with all of its layers but attention as Vidur measured them, and where several chips
 * share the layers the all-reduces, if their file is there. Attention, the embedding, logits and sampling stay predicted:
 * these files do not hold them.
 */
export class VidurPrice implements StepPrice {
  readonly outside = { steps: 0, of: 0 };
  readonly #predictor: Predictor;
  readonly #predicted: PredictedPrice;
  readonly #layer: MeasuredTable;
  /** Milliseconds by bytes; absent where messages are predicted. */
  readonly #allReduce: MeasuredTable | undefined;
  /** Seconds that the tables say more than the predictor does, by tokens and by whether prompts are among them. */
  readonly #more = new Map<number, { readonly seconds: number; readonly outside: boolean }>();

  /**
   * @param allReduce Vidur's `all_reduce.csv`; not looked at where one chip has the model to itself
   * @throws RidgepointError naming the file, where it is of another model or of other numbers of chips
   */
  constructor(predictor: Predictor, { text, name }: MeasuredFile, allReduce?: MeasuredFile) {
    this.#predictor = predictor;
    this.#predicted = new PredictedPrice(predictor);
    const { rows } = parseCsv(text, name);
    const { model, chips } = predictor;
    const [hidden] = numbersOf(rows[0], [HIDDEN], name);
    if (hidden !== model.hidden)
      throw new RidgepointError(
        'usage',
        `${name}: was measured with layers ${hidden} wide, and those of ${model.name} are ${model.hidden}; take a profile of that model`,
      );
    const own = rows.filter((row) => Number(row[PARALLEL]) === chips);
    if (own.length === 0)
      throw new RidgepointError(
        'usage',
        `${name}: there are no times for ${chips} chips; it has those of ${[...new Set(rows.map((row) => row[PARALLEL]))].join(', ')}`,
      );
    this.#allReduce =
      allReduce === undefined || chips === 1 ? undefined : vidurAllReduces(allReduce.text, allReduce.name, chips);
    this.#layer = new MeasuredTable(
      own.map((row) => {
        const [tokens, ...times] = numbersOf(row, [TOKENS, ...LAYER], name);
        return [tokens, times.reduce((sum, time) => sum + time, 0) / 1000];
      }),
    );
  }

  seconds(load: StepLoad): number {
    const more = this.#moreOf(load);
    this.outside.of++;
    if (more.outside) this.outside.steps++;
    return this.#predicted.seconds(load) + more.seconds;
  }

  expected(load: StepLoad): number {
    return this.#predicted.expected(load) + this.#moreOf(load).seconds;
  }

  #moreOf({ decodeRows, prompts }: StepLoad): { readonly seconds: number; readonly outside: boolean } {
    const tokens = prompts.reduce((sum, { begin, end }) => sum + end - begin, decodeRows);
    const prefill = prompts.length > 0;
    const key = 2 * tokens + (prefill ? 1 : 0);
    let known = this.#more.get(key);
    if (known === undefined) {
      let outside = false;
      const { model } = this.#predictor;
      const sequences = prefill
        ? [{ newTokens: tokens, context: 0, prefill }]
        : Array.from({ length: tokens }, () => ({ newTokens: 1, context: 0 }));
      const predicted = this.#predictor
        .parts({ sequences, logitRows: 0 })
        .filter(({ count, operation }) => count === model.layers && operation.kind !== 'attention')
        .reduce((sum, { count, seconds }) => sum + count * seconds, 0);
      const isOutside = (): boolean => (outside = true);
      const measured = model.layers * this.#layer.at([tokens], isOutside);
      const waited = this.#allReducesOf({ sequences, logitRows: 0 }, tokens, isOutside);
      this.#more.set(key, (known = { seconds: measured - predicted + waited, outside }));
    }
    return known;
  }

  /** Seconds that all-reduces of a step were measured to take more than is predicted. */
  #allReducesOf(step: BatchShape, tokens: number, isOutside: () => void): number {
    if (this.#allReduce === undefined) return 0;
    const { model, precision } = this.#predictor;
    const seconds = this.#allReduce.at([tokens * model.hidden * precision.activationBytes], isOutside) / 1000;
    return this.#predictor
      .messages(step)
      .filter(({ name }) => name === 'all_reduce')
      .reduce((sum, message) => sum + message.count * (seconds - message.seconds), 0);
  }
}
