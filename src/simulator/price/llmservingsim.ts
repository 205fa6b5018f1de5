import { RidgepointError } from '../../errors.js';
import { numbersOf, parseCsv } from './csv.js';
import type { StepLoad, StepPrice } from './price.js';
import { MeasuredTable } from './table.js';

/** Texts of the three files of a profile in LLMServingSim's format (casys-kaist/LLMServingSim). */
export interface ProfileTexts {
  /** layer,tokens,time_us */
  readonly dense: string;
  /** prefill_chunk,kv_prefill,n_decode,kv_decode,time_us */
  readonly attention: string;
  /** layer,sequences,time_us */
  readonly perSequence: string;
}

/** What runs once a layer for every row, and once a step. */
const LAYER = ['qkv_proj', 'rotary_emb', 'o_proj', 'layernorm', 'layernorm', 'gate_up_proj', 'act_fn', 'down_proj'];
const STEP = ['embedding', 'final_layernorm'];
const SEQUENCE = ['lm_head', 'sampler'];

const MICRO = 1e-6;

/**
 * The price of a step from layer times measured on a card. Attention is looked up for all prompts of a step together,
 * at the mean of what they have in the cache, and for all rows that decode at the mean of theirs: contexts that differ
 * much cost more than their mean, which the tables do not say.
 */
export class ProfilePrice implements StepPrice {
  readonly outside = { steps: 0, of: 0 };
  readonly #dense: ReadonlyMap<string, MeasuredTable>;
  readonly #sequence: ReadonlyMap<string, MeasuredTable>;
  readonly #attention: MeasuredTable;
  /** Seconds of all but attention by rows, and by rows with logits: steps of the same size come again and again. */
  readonly #byRows = new Map<number, number>();
  readonly #bySequences = new Map<number, number>();
  readonly #layers: number;
  readonly #hostSeconds: number;

  /**
   * @param layers of the model
   * @param hostSeconds what a step costs beside its kernels: scheduling, inputs, reading tokens back
   * @throws RidgepointError naming file and column
   */
  constructor(texts: ProfileTexts, layers: number, hostSeconds = 0) {
    this.#layers = layers;
    this.#hostSeconds = hostSeconds;
    this.#dense = tablesBy(texts.dense, 'dense', 'tokens', [...new Set([...LAYER, ...STEP])]);
    this.#sequence = tablesBy(texts.perSequence, 'per_sequence', 'sequences', SEQUENCE);
    const columns = ['prefill_chunk', 'kv_prefill', 'n_decode', 'kv_decode', 'time_us'];
    const { rows } = parseCsv(texts.attention, 'attention');
    this.#attention = new MeasuredTable(rows.map((row) => numbersOf(row, columns, 'attention')));
  }

  seconds({ decodeRows, decodeKeys, prompts, logitRows }: StepLoad): number {
    let outside = false;
    const note = (): void => void (outside = true);
    let [chunk, cached] = [0, 0];
    for (const { begin, end } of prompts) {
      chunk += end - begin;
      cached += (end - begin) * begin;
    }
    const place = [chunk, chunk > 0 ? cached / chunk : 0, decodeRows, decodeRows > 0 ? decodeKeys / decodeRows : 0];
    const attention = this.#attention.at(place, note);
    const total = this.#rows(decodeRows + chunk, note) + this.#logits(logitRows, note) + this.#layers * attention;
    this.outside.of++;
    if (outside) this.outside.steps++;
    return total * MICRO + this.#hostSeconds;
  }

  #rows(rows: number, note: () => void): number {
    let known = this.#byRows.get(rows);
    if (known === undefined) {
      const sum = (names: readonly string[]): number =>
        names.reduce((total, name) => total + this.#dense.get(name)!.at([rows], note), 0);
      this.#byRows.set(rows, (known = this.#layers * sum(LAYER) + sum(STEP)));
    }
    return known;
  }

  #logits(sequences: number, note: () => void): number {
    if (sequences === 0) return 0;
    let known = this.#bySequences.get(sequences);
    if (known === undefined) {
      known = SEQUENCE.reduce((total, name) => total + this.#sequence.get(name)!.at([sequences], note), 0);
      this.#bySequences.set(sequences, known);
    }
    return known;
  }
}

function tablesBy(text: string, name: string, size: string, layers: readonly string[]): Map<string, MeasuredTable> {
  const { rows } = parseCsv(text, name);
  return new Map(
    layers.map((layer) => {
      const own = rows.filter((row) => row.layer === layer);
      if (own.length === 0) throw new RidgepointError('usage', `${name}: there is no row of the layer ${layer}`);
      return [layer, new MeasuredTable(own.map((row) => numbersOf(row, [size, 'time_us'], name)))];
    }),
  );
}
