import { isRecord } from './located.js';

/** References that are followed, one to the next. */
const MOST_STEPS = 32;

/**
 * The properties of a tool's parameters that are texts and nothing else. Where calls are elements, these stand in them as
 * they are and all others as JSON; who writes the grammar and who reads calls have this rule in common.
 */
export function textParameters(schema: unknown): ReadonlySet<string> {
  const root = followed(schema, schema);
  const properties = isRecord(root) && isRecord(root.properties) ? root.properties : {};
  const texts = Object.entries(properties).filter(([, property]) => isText(property, schema, MOST_STEPS));
  return new Set(texts.map(([name]) => name));
}

/** Whether only texts fit a schema, as far as its own words say. */
function isText(schema: unknown, root: unknown, steps: number): boolean {
  const own = followed(schema, root);
  if (!isRecord(own) || own.nullable === true || steps === 0) return false;
  const all = (list: unknown): boolean =>
    Array.isArray(list) && list.length > 0 && list.every((one) => isText(one, root, steps - 1));
  const { type, enum: values, allOf } = own;
  if (type === 'string' || typeof own.const === 'string') return true;
  if (Array.isArray(type) && type.length > 0 && type.every((one) => one === 'string')) return true;
  if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'string')) return true;
  if (Array.isArray(allOf) && allOf.some((one) => isText(one, root, steps - 1))) return true;
  return all(own.anyOf) || all(own.oneOf);
}

/** What a chain of references within the document leads to; undefined where it leads nowhere. */
function followed(schema: unknown, root: unknown): unknown {
  let at = schema;
  for (let step = 0; step < MOST_STEPS; step++) {
    if (!isRecord(at) || typeof at.$ref !== 'string') return at;
    at = at.$ref.startsWith('#') ? pointed(root, at.$ref.slice(1)) : undefined;
  }
  return undefined;
}

function pointed(root: unknown, pointer: string): unknown {
  let at = root;
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(at)) at = at[Number(name)];
    else at = isRecord(at) && Object.hasOwn(at, name) ? at[name] : undefined;
  }
  return at;
}
