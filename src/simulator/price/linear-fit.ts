import { z } from 'zod';
import { RidgepointError } from '../../errors.js';
import type { LinearFit } from './linear.js';

const three = z.tuple([z.number(), z.number(), z.number()]);

/** DistServe's file: by model, then by the degree of tensor parallelism. */
const fits = z.record(
  z.string(),
  z.record(
    z.string(),
    z.object({
      decoding_large_small_bs_threshold: z.number(),
      prefill: three,
      decoding_smallbs: three,
      decoding_largebs: three,
    }),
  ),
);

/** @throws RidgepointError naming the file and what it lacks */
export function readLinearFit(json: unknown, path: string, model: string, parallel: string): LinearFit {
  const read = fits.safeParse(json);
  if (!read.success)
    throw new RidgepointError(
      'usage',
      `${path}: no file of fits as DistServe has them (${read.error.issues[0].message})`,
    );
  const known = read.data[model];
  if (known === undefined)
    throw new RidgepointError(
      'usage',
      `${path}: there is no model ${model}; there are ${Object.keys(read.data).join(', ')}`,
    );
  const fit = known[parallel];
  if (fit === undefined)
    throw new RidgepointError(
      'usage',
      `${path}: ${model} was fitted at ${Object.keys(known).join(', ')} chips, not at ${parallel}`,
    );
  return {
    prefill: fit.prefill,
    decodeSmall: fit.decoding_smallbs,
    decodeLarge: fit.decoding_largebs,
    threshold: fit.decoding_large_small_bs_threshold,
  };
}
