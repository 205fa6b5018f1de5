import { choice, json, text, type Grammar } from '../../grammar/grammar.js';
import { badRequest } from '../errors.js';
import type { FormFields } from '../schema/forms.js';

/** The form that a text must have, and the field that says so. */
export interface Form {
  readonly grammar: Grammar;
  readonly param: string;
}

const oneOf = (texts: readonly string[]): Grammar => choice(...texts.map(text));
const pattern = (source: string): Grammar => ({ kind: 'pattern', source });
const rules = (source: string): Grammar => ({ kind: 'gbnf', source });

/** @throws ApiError (400) where several fields each ask for a form */
export function formOf(fields: FormFields): Form | undefined {
  const { response_format: format, structured_outputs: outputs } = fields;
  const forms: Form[] = [];
  const add = <T>(param: string, value: T | null | undefined, grammar: (value: T) => Grammar): void => {
    if (value !== undefined && value !== null) forms.push({ param, grammar: grammar(value) });
  };
  if (format?.type === 'json_schema') add('response_format', format.json_schema.schema, json);
  if (format?.type === 'json_object')
    forms.push({ param: 'response_format', grammar: json(format.schema ?? undefined) });
  add('structured_outputs', outputs?.json, json);
  add('structured_outputs', outputs?.regex, pattern);
  add('structured_outputs', outputs?.choice, oneOf);
  add('structured_outputs', outputs?.grammar, rules);
  if (outputs?.json_object === true) forms.push({ param: 'structured_outputs', grammar: json() });
  add('guided_json', fields.guided_json, json);
  add('guided_regex', fields.guided_regex, pattern);
  add('guided_choice', fields.guided_choice, oneOf);
  add('guided_grammar', fields.guided_grammar, rules);
  add('grammar', fields.grammar, rules);
  add('json_schema', fields.json_schema, json);
  if (forms.length < 2) return forms[0];
  const { param } = forms[1];
  throw badRequest(`${param}: the text has a form by ${forms[0].param} already; send one of them`, param);
}
