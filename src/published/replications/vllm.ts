import { POLICIES } from '../../scheduler/policies/index.js';
import { numbersOf, parseCsv } from '../../simulator/price/csv.js';
import { ProfilePrice } from '../../simulator/price/llmservingsim.js';
import { simulate } from '../../simulator/simulation.js';
import type { ReplicatedFigure, Replication } from './replication.js';

const COLUMNS = ['arrival_s', 'input_tokens', 'output_tokens', 'first_token_s', 'last_token_s'];
const LAYERS = 32;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/**
 * 300 ShareGPT requests that vLLM 0.19.0 served on a card, with prices from the card's profile (casys-kaist/LLMServingSim,
 * MIT).
 *
 * @param blocks of 16 tokens that vLLM had, or enough never to run out
 */
function served(card: string, blocks: number, maxSequences: number, tolerance: number): Replication {
  const file = (what: string): string => `profiles/llmservingsim_${card}_llama-3.1-8b_${what}.csv`;
  const [dense, attention, perSequence, vllm] = ['dense', 'attention', 'per_sequence', 'vllm'].map(file);
  return {
    name: `vllm-${card}`,
    about: `300 requests of ShareGPT that vLLM 0.19.0 served, Llama-3.1-8B on ${card} (casys-kaist/LLMServingSim, MIT)`,
    files: [dense, attention, perSequence, vllm],
    run({ read }) {
      const price = new ProfilePrice(
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
      const several = traces.filter(({ tokens }) => tokens.count > 1);
      const figure = (name: string, measured: number, ours: number): ReplicatedFigure => ({
        figure: `mean ${name}, s`,
        published: measured.toPrecision(4),
        ours,
        class: 'within',
        tolerance,
      });
      return [
        figure('TTFT', mean(rows.map(([arrival, , , first]) => first - arrival)), mean(traces.map(({ ttft }) => ttft))),
        figure(
          'TPOT',
          mean(
            rows.filter(([, , tokens]) => tokens > 1).map(([, , tokens, first, last]) => (last - first) / (tokens - 1)),
          ),
          mean(several.map(({ tpot }) => tpot)),
        ),
        figure('E2E', mean(rows.map(([arrival, , , , last]) => last - arrival)), mean(traces.map(({ e2e }) => e2e))),
      ];
    },
  };
}

/** Blocks as vLLM had them on the 4090. On the other card they never ran out, and 128 sequences ran at most. */
export const vllm4090 = served('rtx4090', 2588, 256, 0.03);
export const vllmPro6000 = served('rtxpro6000', 33_000, 128, 0.08);
