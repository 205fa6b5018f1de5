import { z } from 'zod';

const jsonSchema = z.object({
  type: z.literal('json_schema'),
  json_schema: z.object({
    name: z.string().nullish(),
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
    schema: z.union([z.record(z.string(), z.unknown()), z.boolean()], { error: 'expected a JSON schema' }),
  }),
});

/** `response_format`: how the text must be built. */
export const responseFormat = z
  .discriminatedUnion(
    'type',
    [z.object({ type: z.literal('text') }), z.object({ type: z.literal('json_object') }), jsonSchema],
    {
      error: (issue) =>
        issue.code === 'invalid_union' ? 'expected a type of "text", "json_object" or "json_schema"' : undefined,
    },
  )
  .optional();

export type ResponseFormat = z.output<typeof responseFormat>;
