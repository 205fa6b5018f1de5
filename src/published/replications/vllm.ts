import { POLICIES } from '../../scheduler/policies/index.js';
import { numbersOf, parseCsv } from '../../simulator/price/csv.js';
import { ProfilePrice } from '../../simulator/price/llmservingsim.js';
import { PredictedPrice } from '../../simulator/price/predicted.js';
import type { StepPrice } from '../../simulator/price/price.js';
import { simulate } from '../../simulator/simulation.js';
import { predictorOf } from '../seeds/subjects.js';
import type { ReplicatedFigure, Replication } from './replication.js';

const COLUMNS = ['arrival_s', 'input_tokens', 'output_tokens', 'first_token_s', 'last_token_s'];
const LAYERS = 32;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

interface Card {
  /** As the files of its profile say it, and as the catalogue does. */
  readonly card: string;
  readonly hardware: string;
  /** Blocks of 16 tokens that vLLM had, or enough never to run out. */
  readonly blocks: number;
  readonly maxSequences: number;
  /** Shares that means may be off by: with prices from the profile, and with predicted ones. */
  readonly within: readonly [profile: number, predicted: number];
}

/**
 * 300 ShareGPT requests that vLLM 0.19.0 served on a card, with prices from the card's profile (casys-kaist/LLMServingSim,
 * MIT), and with those of the predictor, which knows nothing of the card but its data sheet.
 */
function served({ card, hardware, blocks, maxSequences, within }: Card): Replication {
  const file = (what: string): string => `profiles/llmservingsim_${card}_llama-3.1-8b_${what}.csv`;
  const [dense, attention, perSequence, vllm] = ['dense', 'attention', 'per_sequence', 'vllm'].map(file);
  return {
    name: `vllm-${card}`,
    about: `300 requests of ShareGPT that vLLM 0.19.0 served, Llama-3.1-8B on ${card} (casys-kaist/LLMServingSim, MIT)`,
    files: [dense, attention, perSequence, vllm],
    run({ read }) {
      const profile = new ProfilePrice(
        { dense: read(dense), attention: read(attention), perSequence: read(perSequence) },
        LAYERS,
      );
      const rows = parseCsv(read(vllm), vllm).rows.map((row) => numbersOf(row, COLUMNS, vllm));
      const requests = rows.map(([arrival, promptTokens, outputTokens], index) => ({
        index,
        arrival,
        promptTokens,
        outputTokens,
      }));
      const several = rows.filter(([, , tokens]) => tokens > 1);
      const measured = {
        TTFT: mean(rows.map(([arrival, , , first]) => first - arrival)),
        TPOT: mean(several.map(([, , tokens, first, last]) => (last - first) / (tokens - 1))),
        E2E: mean(rows.map(([arrival, , , , last]) => last - arrival)),
      };
      const figures = (price: StepPrice, tolerance: number, by: string): ReplicatedFigure[] => {
        const machine = {
          name: card,
          role: 'both',
          count: 1,
          price,
          policy: POLICIES.chunked,
          blocks,
          blockTokens: 16,
          maxSequences,
          stepTokens: 2048,
          depth: 1,
        } as const;
        const { traces } = simulate(
          { pools: [machine], router: { prefill: 'round-robin', decode: 'round-robin' } },
          requests,
          { keepTokens: false },
        );
        const ours = {
          TTFT: mean(traces.map(({ ttft }) => ttft)),
          TPOT: mean(traces.filter(({ tokens }) => tokens.count > 1).map(({ tpot }) => tpot)),
          E2E: mean(traces.map(({ e2e }) => e2e)),
        };
        return (['TTFT', 'TPOT', 'E2E'] as const).map((name) => ({
          figure: `mean ${name}, s${by}`,
          published: measured[name].toPrecision(4),
          ours: ours[name],
          class: 'within',
          tolerance,
        }));
      };
      const predicted = new PredictedPrice(predictorOf('llama-3.1-8b', hardware));
      return [...figures(profile, within[0], ''), ...figures(predicted, within[1], ', steps predicted')];
    },
  };
}

/** Blocks as vLLM had them on the 4090. On the other card they never ran out, and 128 sequences ran at most. */
export const vllm4090 = served({
  card: 'rtx4090',
  hardware: 'rtx-4090',
  blocks: 2588,
  maxSequences: 256,
  within: [0.03, 0.15],
});
export const vllmPro6000 = served({
  card: 'rtxpro6000',
  hardware: 'rtx-pro-6000',
  blocks: 33_000,
  maxSequences: 128,
  within: [0.08, 0.15],
});
