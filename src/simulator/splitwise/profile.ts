import { RidgepointError } from '../../errors.js';
import { numbersOf, parseCsv } from '../price/csv.js';
import type { StepLoad, StepPrice } from '../price/price.js';
import { MeasuredTable } from '../price/table.js';

/** Columns by which splitwise-sim's `perf_model.csv` is recognised; others are ignored. */
const COLUMNS = ['model', 'hardware', 'tensor_parallel', 'prompt_size', 'batch_size', 'prompt_time', 'token_time'];

/** Whether a file with this first line is a profile in splitwise-sim's format. */
export function isSplitwiseProfile(header: string): boolean {
  const fields = header
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((field) => field.trim());
  return COLUMNS.every((column) => fields.includes(column));
}

/** What a mixed batch costs more than its tokens in the table of prompts. */
const MIXED = 1.1;

/**
 * Times of one kind of machine, as splitwise-sim looks them up: by the tokens of a batch alone, a line between medians
 * by (prompt size x batch size), and on in a line outside. A batch that only decodes has as many tokens as rows, though
 * the table was measured by prompt tokens: contexts cost nothing.
 */
export class SplitwisePrice implements StepPrice {
  readonly outside = { steps: 0, of: 0 };
  readonly #prompt: Lookup;
  readonly #token: Lookup;

  /** @param rows batch tokens, milliseconds of the prompts, milliseconds of a token */
  constructor(rows: readonly (readonly number[])[]) {
    this.#prompt = new Lookup(rows.map(([tokens, prompt]) => [tokens, prompt / 1000]));
    this.#token = new Lookup(rows.map(([tokens, , token]) => [tokens, token / 1000]));
  }

  /**
   * Seconds of an iteration of whole prompts with so many tokens together, and rows that each make one token.
   *
   * @throws RidgepointError where a line that goes on outside of what was measured has come to nothing
   */
  batchSeconds(prompts: number, promptTokens: number, rows: number): number {
    const seconds =
      prompts === 0 ? this.#token.at(rows) : this.#prompt.at(promptTokens + rows) * (rows > 0 ? MIXED : 1);
    const lookup = prompts === 0 ? this.#token : this.#prompt;
    this.outside.of++;
    if (lookup.wasOutside) this.outside.steps++;
    if (!(seconds > 0)) {
      throw new RidgepointError(
        'usage',
        `the profile comes to ${seconds} s for an iteration of ${promptTokens + rows} tokens, far outside of what was measured`,
      );
    }
    return seconds;
  }

  seconds({ decodeRows, prompts }: StepLoad): number {
    const tokens = prompts.reduce((sum, { begin, end }) => sum + end - begin, 0);
    return this.batchSeconds(prompts.length, tokens, decodeRows);
  }

  /** Seconds a prompt of this size takes alone. */
  promptSeconds(tokens: number): number {
    return this.#prompt.at(tokens);
  }

  /** Seconds the table says for a token of a batch with so many prompt tokens: what it was measured by. */
  tokenSeconds(tokens: number): number {
    return this.#token.at(tokens);
  }
}

/** A table of one coordinate that remembers what it has been asked: sizes of batches come again and again. */
class Lookup {
  readonly #table: MeasuredTable;
  readonly #known = new Map<number, { readonly value: number; readonly outside: boolean }>();
  wasOutside = false;

  constructor(rows: readonly (readonly number[])[]) {
    this.#table = new MeasuredTable(rows);
  }

  at(tokens: number): number {
    let known = this.#known.get(tokens);
    if (known === undefined) {
      let outside = false;
      const value = this.#table.at([tokens], () => (outside = true));
      this.#known.set(tokens, (known = { value, outside }));
    }
    this.wasOutside = known.outside;
    return known.value;
  }
}

/** Measured times of several kinds of machine: a file in the format of splitwise-sim's `perf_model.csv`. */
export class SplitwiseProfile {
  readonly #rows = new Map<string, number[][]>();
  readonly #prices = new Map<string, SplitwisePrice>();
  readonly #name: string;

  /** @throws RidgepointError naming the file and its column or line */
  constructor(text: string, name = 'perf_model.csv') {
    this.#name = name;
    const { header, rows } = parseCsv(text, name);
    const missing = COLUMNS.filter((column) => !header.includes(column));
    if (missing.length > 0) {
      throw new RidgepointError('usage', `${name}: there is no column ${missing.join(', ')}, as splitwise-sim has`);
    }
    for (const row of rows) {
      const [tensorParallel, prompt, batch, promptTime, tokenTime] = numbersOf(row, COLUMNS.slice(2), name);
      const key = keyOf(row.model, row.hardware, tensorParallel);
      const known = this.#rows.get(key);
      const values = [prompt * batch, promptTime, tokenTime];
      if (known === undefined) this.#rows.set(key, [values]);
      else known.push(values);
    }
  }

  /** What it has times of: model, hardware and degree of tensor parallelism. */
  get machines(): readonly string[] {
    return [...this.#rows.keys()];
  }

  /** One value for one kind of machine, however often it is asked. @throws RidgepointError listing what there is */
  price(model: string, hardware: string, tensorParallel: number): SplitwisePrice {
    const key = keyOf(model, hardware, tensorParallel);
    const rows = this.#rows.get(key);
    if (rows === undefined) {
      throw new RidgepointError(
        'usage',
        `${this.#name}: there are no times of ${key}; it has ${this.machines.join('; ')}`,
      );
    }
    let price = this.#prices.get(key);
    if (price === undefined) this.#prices.set(key, (price = new SplitwisePrice(rows)));
    return price;
  }
}

const keyOf = (model: string, hardware: string, tensorParallel: number): string =>
  `${model} on ${hardware}, TP${tensorParallel}`;
