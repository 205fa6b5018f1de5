import * as z from 'zod';

/** Not looked into here: a grammar is made of it, or it is refused whole. */
const schema = z.custom<boolean | Readonly<Record<string, unknown>>>(
  (value) => typeof value === 'boolean' || (typeof value === 'object' && value !== null && !Array.isArray(value)),
  'expected a JSON schema',
);

/** A key that is not read could be one that says how to build the text, so none is dropped. */
const text = z.strictObject({ type: z.literal('text') });
/** llama-server's form, and others'; without a schema any object will do. */
const jsonObject = z.strictObject({ type: z.literal('json_object'), schema: schema.nullish() });
const jsonSchema = z.strictObject({
  type: z.literal('json_schema'),
  json_schema: z.strictObject({
    name: z.string().nullish(),
    description: z.string().nullish(),
    strict: z.boolean().nullish(),
    schema,
  }),
});

/** `response_format`: how the text must be built. */
export const responseFormat = z
  .discriminatedUnion('type', [text, jsonObject, jsonSchema], {
    error: (issue) =>
      issue.code === 'invalid_union' ? 'expected a type of "text", "json_object" or "json_schema"' : undefined,
  })
  .optional();
