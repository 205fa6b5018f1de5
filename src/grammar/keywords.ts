import { meantBy } from '../spelling.js';
import { refuse } from './located.js';

export const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'] as const;
export type TypeName = (typeof TYPES)[number];

/** What a limit is about: a number, the length of a text, or how many items or properties there are. */
export type Limited = 'value' | 'length' | 'items' | 'properties';

export const ANNOTATIONS = new Set([
  '$schema', '$id', '$anchor', '$comment', '$defs', 'definitions', '$vocabulary', 'title', 'description', 'default',
  'example', 'examples', 'deprecated', 'readOnly', 'writeOnly', 'contentMediaType', 'contentEncoding', 'contentSchema',
  'id', 'discriminator', 'xml', 'externalDocs', '$dynamicAnchor', '$recursiveAnchor', 'then', 'else', 'minContains',
  'maxContains',
]); // prettier-ignore

/** Keywords that limit values, of any draft, and are not kept to here. */
export const UNSUPPORTED = new Set([
  'not', 'if', 'contains', 'dependencies', 'dependentRequired', 'dependentSchemas',
  'unevaluatedItems', 'unevaluatedProperties', '$dynamicRef', '$recursiveRef', 'extends', 'disallow', 'divisibleBy',
  'formatMinimum', 'formatMaximum', 'formatExclusiveMinimum', 'formatExclusiveMaximum',
]); // prettier-ignore

/** Keywords that say something about values of some types only, and of which. */
export const ABOUT: Readonly<Record<string, readonly TypeName[]>> = {
  minimum: ['number'],
  maximum: ['number'],
  exclusiveMinimum: ['number'],
  exclusiveMaximum: ['number'],
  multipleOf: ['integer'],
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  format: ['string'],
  items: ['array'],
  prefixItems: ['array'],
  additionalItems: ['array'],
  minItems: ['array'],
  maxItems: ['array'],
  uniqueItems: ['array'],
  properties: ['object'],
  required: ['object'],
  additionalProperties: ['object'],
  propertyNames: ['object'],
  patternProperties: ['object'],
  minProperties: ['object'],
  maxProperties: ['object'],
};

/** All that limits values; names close to one of these are taken for slips. */
export const KEYWORDS: ReadonlySet<string> = new Set([
  ...Object.keys(ABOUT),
  ...UNSUPPORTED,
  ...['type', 'enum', 'const', '$ref', 'allOf', 'anyOf', 'oneOf', 'nullable'],
]);

/** Limits by keyword: what is limited, at which side, and whether the limit itself is outside. */
export const LIMITS: Readonly<Record<string, readonly [Limited, 'low' | 'high', boolean]>> = {
  minimum: ['value', 'low', false],
  maximum: ['value', 'high', false],
  exclusiveMinimum: ['value', 'low', true],
  exclusiveMaximum: ['value', 'high', true],
  minLength: ['length', 'low', false],
  maxLength: ['length', 'high', false],
  minItems: ['items', 'low', false],
  maxItems: ['items', 'high', false],
  minProperties: ['properties', 'low', false],
  maxProperties: ['properties', 'high', false],
};

/** What nobody knows is an annotation, as JSON Schema has it, unless it is a keyword with a slip of the pen. */
export function refuseSlip(pointer: string, keyword: string): void {
  if (ANNOTATIONS.has(keyword) || keyword.startsWith('x-')) return;
  const meant = meantBy(keyword, KEYWORDS);
  if (meant !== undefined) refuse(pointer, `is no keyword; write ${JSON.stringify(meant)} if that is meant`);
}
