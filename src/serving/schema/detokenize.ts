import { z } from 'zod';

/** Body of `POST /detokenize`. */
export const detokenizeRequest = z.object({
  model: z.string().optional(),
  tokens: z.array(z.int().min(0)),
});
