import fc from 'fast-check';

/** A schema, and values that fit it with their keys in the schema's order. */
export interface Sample {
  readonly schema: Record<string, unknown>;
  readonly value: fc.Arbitrary<unknown>;
}

const text = (min = 0, max = 12): fc.Arbitrary<string> =>
  fc.string({ unit: 'binary', minLength: min, maxLength: max, size: 'max' });
const name = fc.oneof(fc.constantFrom('a', 'ab', 'abc', 'kind', 'a"b', 'é', '😀', 'x\n', ''), text(0, 4));
const json = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  // ajv compares objects by calling their methods of these names.
  .filter((value) => !/"(toString|valueOf|constructor)":/.test(JSON.stringify(value)))
  .map((value) => plain(value));

/** Without -0 and `__proto__`, and with numbers of a size that is written. */
export function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll('__proto__', 'proto'), (_, one: unknown) =>
    typeof one === 'number' && Math.abs(one) > 1e280 ? 1.5 : one,
  );
}

const patterns = [
  '^[a-c]{2,4}$', 'foo|ba+r', '^a|b$', '^(?:\\d{3}-)?\\d{4}$', '^[^"\\\\]*$', '^\\w+@\\w+\\.(com|org)$', '^[à-ÿ😀-😂]+$',
  '^.{1,3}$', '"', '^\\s*\\S\\s*$', '^(a|ab)(c|bcd)*$', '^\\p{Lu}\\p{Ll}*$', '^x{0,2}?y+?[\\u0000-\\u0020"]$',
]; // prettier-ignore

const scalars: fc.Arbitrary<Sample>[] = [
  fc.constant({ schema: { type: 'null' }, value: fc.constant(null) }),
  fc.constant({ schema: { type: 'boolean' }, value: fc.boolean() }),
  fc.constant({ schema: { type: 'integer' }, value: fc.maxSafeInteger() }),
  fc.constant({
    schema: { type: 'number' },
    value: fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e280, max: 1e280 }).map((x) => x + 0),
  }),
  fc
    .tuple(fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -200, max: 200 })), fc.nat(5000), fc.boolean(), fc.boolean())
    .map(([low, width, openLow, openHigh]) => {
      const high = Math.min(low + width, Number.MAX_SAFE_INTEGER - 1);
      const from = Math.min(low, high);
      return {
        schema: {
          type: 'integer',
          ...(openLow ? { exclusiveMinimum: from - 1 } : { minimum: from }),
          ...(openHigh ? { exclusiveMaximum: high + 1 } : { maximum: high }),
        },
        value: fc.integer({ min: from, max: high }),
      };
    }),
  fc
    .tuple(fc.integer({ min: -200_000, max: 200_000 }), fc.nat(3000), fc.boolean(), fc.boolean(), fc.nat(2))
    .map(([low, width, openLow, openHigh, bounds]) => ({
      schema: {
        type: 'number',
        ...(bounds === 1 ? {} : openLow ? { exclusiveMinimum: (low - 1) / 100 } : { minimum: low / 100 }),
        ...(bounds === 2 ? {} : openHigh ? { exclusiveMaximum: (low + width + 1) / 100 } : { maximum: (low + width) / 100 }),
      },
      value: fc.integer({ min: low, max: low + width }).map((cents) => cents / 100 + 0),
    })),
  fc.tuple(fc.nat(6), fc.nat(6)).map(([min, more]) => ({
    schema: { type: 'string', minLength: min, maxLength: min + more },
    value: text(min, min + more),
  })),
  fc.constant({ schema: { type: 'string' }, value: text() }),
  fc.constantFrom(...patterns).map((pattern) => ({
    schema: { type: 'string', pattern },
    value: fc.stringMatching(new RegExp(pattern, 'u'), { size: 'small' }).filter((one) => !/\p{Surrogate}/u.test(one)),
  })),
  fc.nat(4).map((min) => ({
    schema: { type: 'string', pattern: '^(?:ab|c)*$', minLength: min, maxLength: min + 3 },
    value: fc
      .array(fc.constantFrom('ab', 'c'), { maxLength: 7 })
      .map((parts) => parts.join(''))
      .filter(({ length }) => length >= min && length <= min + 3),
  })),
  fc.constant({
    schema: { type: 'string', format: 'date' },
    value: fc.date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') }).map((date) => date.toISOString().slice(0, 10)),
  }),
  fc.constant({
    schema: { type: 'string', format: 'date-time' },
    value: fc.date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') }).map((date) => date.toISOString()),
  }),
  fc.constant({ schema: { type: 'string', format: 'uuid' }, value: fc.uuid() }),
  fc.array(json, { minLength: 1, maxLength: 4 }).map((values) => ({
    schema: { enum: values },
    value: fc.constantFrom(...values),
  })),
  json.map((value) => ({ schema: { const: value }, value: fc.constant(value) })),
  fc.constant({ schema: {}, value: json }),
  fc.constant({ schema: { type: ['string', 'null', 'integer'] }, value: fc.oneof(text(), fc.constant(null), fc.integer()) }),
]; // prettier-ignore

const { sample } = fc.letrec<{ sample: Sample }>((tie) => {
  const array = fc.tuple(tie('sample'), fc.nat(2), fc.nat(3)).map(([item, min, more]) => ({
    schema: { type: 'array', items: item.schema, minItems: min, maxItems: min + more },
    value: fc.array(item.value, { minLength: min, maxLength: min + more }),
  }));
  const tuple = fc
    .tuple(fc.array(tie('sample'), { minLength: 1, maxLength: 3 }), tie('sample'), fc.nat(4))
    .map(([prefix, rest, min]) => ({
      schema: { type: 'array', prefixItems: prefix.map(({ schema }) => schema), items: rest.schema, minItems: min },
      value: fc
        .tuple(fc.tuple(...prefix.map(({ value }) => value)), fc.array(rest.value, { maxLength: 3 }), fc.nat(3))
        .map(([first, more, cut]) => (more.length > 0 ? [...first, ...more] : first.slice(0, first.length - cut)))
        .filter(({ length }) => length >= min),
    }));
  const object = fc
    .tuple(
      fc.uniqueArray(fc.tuple(name, tie('sample'), fc.boolean()), { selector: ([one]) => one, maxLength: 4 }),
      fc.option(tie('sample'), { nil: undefined }),
    )
    .map(([members, additional]): Sample => {
      // JavaScript puts keys that are array indices first
      const ordered = Object.entries(Object.fromEntries(members.map(([key, one, required]) => [key, { one, required }])));
      const present = ordered.map(([key, { one, required }]) =>
        fc.tuple(fc.constant(key), one.value, required ? fc.constant(true) : fc.boolean()),
      );
      const extra = fc.array(fc.tuple(fc.string({ unit: 'binary', minLength: 3, maxLength: 5 }), additional?.value ?? fc.constant(0)), {
        maxLength: additional === undefined ? 0 : 2,
      });
      return {
        schema: {
          type: 'object',
          properties: Object.fromEntries(ordered.map(([key, { one }]) => [key, one.schema])),
          required: ordered.filter(([, { required }]) => required).map(([key]) => key),
          additionalProperties: additional?.schema ?? false,
        },
        value: fc.tuple(fc.tuple(...present), extra).map(([own, more]) => {
          const names = new Set(ordered.map(([key]) => key));
          const others = more.filter(([key]) => !names.has(key) && key !== '__proto__' && !/^\d+$/.test(key));
          return Object.fromEntries([...own.filter(([, , there]) => there).map(([key, value]) => [key, value]), ...others]) as unknown;
        }),
      };
    });
  const union = fc.array(tie('sample'), { minLength: 1, maxLength: 3 }).map((parts) => ({
    schema: { anyOf: parts.map(({ schema }) => schema) },
    value: fc.oneof(...parts.map(({ value }) => value)),
  }));
  return { sample: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.oneof(...scalars), object, array, tuple, union) };
}); // prettier-ignore

/** Failures print the schema alone. */
export const samples: fc.Arbitrary<Sample> = sample.map(({ schema, value }) =>
  Object.defineProperty({ schema } as Sample, 'value', { value, enumerable: false }),
);
