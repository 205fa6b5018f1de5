import { RidgepointError } from '../errors.js';

/** A schema of the document, named by its JSON pointer: equal pointers are equal schemas. */
export interface Located {
  readonly pointer: string;
  readonly value: unknown;
}

export function refuse(pointer: string, what: string): never {
  throw new RidgepointError('usage', `the JSON schema cannot be used: ${pointer} ${what}`);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

export function at({ pointer, value }: Located, ...path: string[]): Located {
  let inner = value;
  for (const name of path) inner = (inner as Record<string, unknown>)[name];
  return { pointer: [pointer, ...path.map(escapePointer)].join('/'), value: inner };
}

/** The schemas of a keyword that lists them; none where it is absent. */
export function list(schema: Located, keyword: string): Located[] {
  const one = at(schema, keyword);
  if (one.value === undefined) return [];
  if (!Array.isArray(one.value) || one.value.length === 0) refuse(one.pointer, 'must be a list of schemas, not empty');
  return one.value.map((_, i) => at(one, String(i)));
}
