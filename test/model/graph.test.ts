import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { activationBytes } from '../../src/model/activations.js';
import { parseConfig } from '../../src/model/config.js';
import { forwardOperations, parameterCount } from '../../src/model/cost.js';
import { modelMatrices, namedVocabulary } from '../../src/model/matrices.js';
import { operationShapes, type BatchShape, type Operation, type Precision } from '../../src/model/operations.js';
import { weightBytes } from '../../src/model/weights.js';
import { shard } from '../../src/roofline/models/parallel.js';
import { repositoryPath } from '../reference/load.js';

/** What every reader of a graph made of a model before layers were graphs. */
interface Figures {
  readonly parameters: number;
  readonly launches: number;
  readonly matrices: number;
  readonly f16Bytes: number;
  readonly int4Bytes: number;
  readonly activations: number;
  /** By step and precision: launches, FLOPs, bytes of weights and of activations, read from and written to the cache. */
  readonly costs: Readonly<Record<string, readonly number[]>>;
  /** Of one chip of four in f16: the same without launches, then n and k. */
  readonly shards: Readonly<Record<string, readonly number[]>>;
}

const read = (path: string): unknown => JSON.parse(readFileSync(repositoryPath(path), 'utf8'));
const FIGURES = read('test/model/preset-figures.json') as Record<string, Figures>;
const PRESETS = read('models/presets.json') as Record<string, unknown>;

const PRECISIONS: Readonly<Record<string, Precision>> = {
  f16: { weightBytes: 2, kvBytes: 2, activationBytes: 4, productBytes: 2 },
  w8a8: { weightBytes: 1.0625, headBytes: 2, kvBytes: 1, kvScaleBytes: 4, activationBytes: 4, productBytes: 1 },
};
const BATCHES: Readonly<Record<string, BatchShape>> = {
  prompt: { sequences: [{ newTokens: 512, context: 0 }], logitRows: 1 },
  decode: { sequences: Array.from({ length: 8 }, () => ({ newTokens: 1, context: 1000 })), logitRows: 8 },
  mixed: {
    sequences: [
      { newTokens: 1, context: 300 },
      { newTokens: 1, context: 20 },
      { newTokens: 60, context: 128 },
    ],
    logitRows: 3,
  },
};
const COSTS = ['flops', 'weightBytes', 'activationBytes', 'kvReadBytes', 'kvWriteBytes'] as const;

const sum = (list: readonly Operation[], key: (typeof COSTS)[number] | 'n' | 'k'): number =>
  list.reduce((total, operation) => total + operation[key], 0);

describe.each(Object.entries(FIGURES))('the graph of %s', (name, figures) => {
  const config = parseConfig(PRESETS[name], name);
  const { tiedEmbeddings: tied } = config;

  it('has the weights and activations it had', () => {
    expect(parameterCount(config)).toBe(figures.parameters);
    expect(modelMatrices(config, namedVocabulary(config))).toHaveLength(figures.matrices);
    expect(weightBytes(config, { dtype: 'f16', lanes: 1 }, tied)).toBe(figures.f16Bytes);
    expect(weightBytes(config, { dtype: 'int4-g32', lanes: 8 }, tied, 'f16')).toBe(figures.int4Bytes);
    const bytes = activationBytes(config, { stepTokens: 520, sequences: 8, contextLength: 2048 }, 'f16');
    expect(Object.values(bytes).reduce((total, each) => total + each, 0)).toBe(figures.activations);
  });

  it('has the operations it had, at the same cost', () => {
    expect(operationShapes(config)).toHaveLength(figures.launches);
    for (const [as, precision] of Object.entries(PRECISIONS)) {
      for (const [step, batch] of Object.entries(BATCHES)) {
        const list = forwardOperations(config, batch, precision);
        const launched = list.filter(({ m }) => m > 0).length;
        const found = [launched, ...COSTS.map((key) => sum(list, key))];
        expect(found, `${step} ${as}`).toEqual(figures.costs[`${step} ${as}`]);
      }
    }
  });

  it('divides among chips as it did', () => {
    for (const [step, batch] of Object.entries(BATCHES)) {
      const list = forwardOperations(config, batch, PRECISIONS.f16).map((each) =>
        shard(each, 4, config.kvHeads, PRECISIONS.f16),
      );
      expect(
        [...COSTS, 'n' as const, 'k' as const].map((key) => sum(list, key)),
        step,
      ).toEqual(figures.shards[step]);
    }
  });
});
