import type { Handler, Routes } from './exchange.js';

type Method = 'GET' | 'POST' | 'DELETE';

interface Route {
  readonly method: Method;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly handler: Handler;
}

export type Found =
  | { readonly handler: Handler; readonly params: Readonly<Record<string, string>> }
  /** Methods that the path takes; undefined where there is no such path. */
  | { readonly allowed: readonly string[] | undefined };

/** Routes in a list, for where no framework keeps them. */
export class RouteTable implements Routes {
  readonly #routes: Route[] = [];

  get(path: string, handler: Handler): void {
    this.#add('GET', path, handler);
  }

  post(path: string, handler: Handler): void {
    this.#add('POST', path, handler);
  }

  delete(path: string, handler: Handler): void {
    this.#add('DELETE', path, handler);
  }

  find(method: string, path: string): Found {
    const allowed: string[] = [];
    for (const route of this.#routes) {
      const match = route.pattern.exec(path);
      if (match === null) continue;
      if (route.method !== method) {
        allowed.push(route.method);
        continue;
      }
      const values = match.slice(1).map(decoded);
      return {
        handler: route.handler,
        params: Object.fromEntries(route.names.map((name, at) => [name, values[at]])),
      };
    }
    return { allowed: allowed.length === 0 ? undefined : allowed };
  }

  #add(method: Method, path: string, handler: Handler): void {
    const names: string[] = [];
    const source = path.replace(/:(\w+)|\*/g, (_all, name: string | undefined) => {
      names.push(name ?? '*');
      return name === undefined ? '(.*)' : '([^/]+)';
    });
    this.#routes.push({ method, pattern: new RegExp(`^${source}$`), names, handler });
  }
}

/** A part of a path as it was meant; as it stands where it is no escape. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
