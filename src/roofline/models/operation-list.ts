import {
  phaseOf,
  type BatchShape,
  type Operation,
  type OperationKind,
  type Precision,
} from '../../model/operations.js';

/** The sizes of a batch that costs depend on. */
export interface BatchCounts {
  readonly tokens: number;
  readonly logits: number;
  /** Pairs of a query and a key it may see. */
  readonly pairs: number;
  /** Keys read. */
  readonly keys: number;
}

export function countsOf({ sequences, logitRows }: BatchShape): BatchCounts {
  let [tokens, pairs, keys] = [0, 0, 0];
  for (const { newTokens, context } of sequences) {
    tokens += newTokens;
    pairs += newTokens * context + (newTokens * (newTokens + 1)) / 2;
    keys += context + newTokens;
  }
  return { tokens, logits: logitRows, pairs, keys };
}

type Rows = Exclude<Operation['rows'], 'prompts'>;
type Split = Operation['split'];

/** Sizes of an operation, what chips that share it each have, and where it stands. */
interface Place {
  readonly n: number;
  readonly k: number;
  readonly split: Split;
  readonly rows?: Rows;
  readonly outside?: boolean;
}

type Cost = Partial<Pick<Operation, 'flops' | 'weightBytes' | 'activationBytes' | 'kvReadBytes' | 'kvWriteBytes'>>;

/** Writes operation lists of models that the engine does not run, in the terms of the list it does. */
export class OperationList {
  readonly operations: Operation[] = [];
  readonly counts: BatchCounts;

  readonly #batch: BatchShape;

  constructor(
    batch: BatchShape,
    readonly precision: Precision,
  ) {
    this.#batch = batch;
    this.counts = countsOf(batch);
  }

  /** A matrix [n][k] applied to rows; `read` and `written` are numbers a row, when they are not k and n. */
  matmul(
    name: string,
    n: number,
    k: number,
    { rows = 'tokens', written = n, split = 'outputs' }: { rows?: Rows; written?: number; split?: Split } = {},
  ): void {
    const m = this.counts[rows];
    const { weightBytes, activationBytes } = this.precision;
    this.add(
      name,
      'matmul',
      { n, k, rows, split },
      {
        flops: 2 * m * n * k,
        weightBytes: m === 0 ? 0 : n * k * weightBytes,
        activationBytes: m * (k + written) * activationBytes,
      },
    );
  }

  /** Layer or root-mean-square normalisation with so many weights a channel. */
  norm(name: string, width: number, { rows = 'tokens', weights = 1 }: { rows?: Rows; weights?: number } = {}): void {
    const m = this.counts[rows];
    this.add(
      name,
      'norm',
      { n: width, k: width, rows, split: 'whole' },
      {
        flops: 4 * m * width,
        weightBytes: weights * width * 4,
        activationBytes: 2 * m * width * this.precision.activationBytes,
      },
    );
  }

  embed(hidden: number): void {
    const { tokens } = this.counts;
    const { weightBytes, activationBytes } = this.precision;
    this.add(
      'embed',
      'embed',
      { n: hidden, k: hidden, outside: true, split: 'whole' },
      {
        weightBytes: tokens * hidden * weightBytes,
        activationBytes: tokens * hidden * activationBytes,
      },
    );
  }

  sample(vocab: number): void {
    const { logits } = this.counts;
    this.add(
      'sample',
      'sample',
      { n: 1, k: vocab, rows: 'logits', split: 'outputs' },
      {
        flops: logits * vocab,
        activationBytes: logits * vocab * this.precision.activationBytes,
      },
    );
  }

  /** Rows that want logits, and what is `outside`, stand before or after the layers. */
  add(
    name: string,
    kind: OperationKind,
    { n, k, split, rows = 'tokens', outside = rows === 'logits' }: Place,
    cost: Cost,
  ): void {
    this.operations.push({
      name: outside ? name : `layers.0.${name}`,
      part: name,
      kind,
      split,
      layer: outside ? undefined : 0,
      rows,
      n,
      k,
      phase: phaseOf(this.#batch),
      m: this.counts[rows],
      flops: 0,
      weightBytes: 0,
      activationBytes: 0,
      kvReadBytes: 0,
      kvWriteBytes: 0,
      ...cost,
    });
  }
}
