const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** The index after the string whose opening quote is at `i`. */
function skipString(json: string, i: number): number {
  for (i++; json.charCodeAt(i) !== QUOTE; i++) {
    if (json.charCodeAt(i) === BACKSLASH) i++;
  }
  return i + 1;
}

/**
 * The keys of the outermost object of a JSON text in the order of writing, repeated ones repeated.
 *
 * @param json a text that `JSON.parse` accepts and that holds an object
 */
export function jsonKeys(json: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (let i = 0; i < json.length;) {
    const c = json[i];
    if (c === '"') {
      const end = skipString(json, i);
      let next = end;
      while (json.charCodeAt(next) <= 0x20) next++;
      if (depth === 1 && json.charCodeAt(next) === COLON) keys.push(JSON.parse(json.slice(i, end)) as string);
      i = end;
      continue;
    }
    if (c === '{' || c === '[') depth++;
    if (c === '}' || c === ']') depth--;
    i++;
  }
  return keys;
}
