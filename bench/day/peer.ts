import { z } from 'zod';

const positive = z.number().positive();
const product = { operation: z.string(), rows: z.int(), n: z.int(), k: z.int(), ms: positive };
const token = { engine: z.string(), graph: z.boolean(), batch: z.int(), ms: positive };

/** The file `scripts/kit/peer.py` writes: PyTorch on the questions that the engine is asked. */
export const peerSchema = z.object({
  version: z.literal(1),
  /** True for figures that were not measured on this machine, to see what a page looks like. */
  sample: z.boolean(),
  complete: z.boolean(),
  date: z.string(),
  torch: z.string().optional(),
  transformers: z.string().optional(),
  device: z.string().optional(),
  /** Bytes read plus bytes written, a second. */
  copy: z.object({ bytes_per_second: positive }).nullable(),
  mm: z.array(z.object({ ...product, tflop_per_s: positive })),
  gemv: z.array(z.object({ ...product, gb_per_s: positive })),
  llama: z.array(
    z.discriminatedUnion('kind', [
      z.object({ ...token, kind: z.literal('ttft'), prompt: z.int() }),
      z.object({ ...token, kind: z.literal('tpot'), context: z.int() }),
    ]),
  ),
  errors: z.record(z.string(), z.string()),
});

export type Peer = z.infer<typeof peerSchema>;

/** The peer's milliseconds at its best, by engine; of steps and graphs the faster. */
export function bestOf(
  { llama }: Peer,
  point:
    | { readonly kind: 'ttft'; readonly prompt: number }
    | { readonly kind: 'tpot'; readonly context: number; readonly batch: number },
): { readonly engine: string; readonly ms: number; readonly graph: boolean }[] {
  const best = new Map<string, { engine: string; ms: number; graph: boolean }>();
  for (const each of llama) {
    const same =
      each.kind === 'ttft'
        ? point.kind === 'ttft' && each.prompt === point.prompt
        : point.kind === 'tpot' && each.context === point.context && each.batch === point.batch;
    const { engine, ms, graph } = each;
    if (same && ms < (best.get(engine)?.ms ?? Infinity)) best.set(engine, { engine, ms, graph });
  }
  return [...best.values()];
}
