import { homedir } from 'node:os';
import { join } from 'node:path';
import { printable } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';
import { readWhole } from './read-whole.js';
import { keepSecret } from './secrets.js';

/** Where everything about one model is: on the Hub, and in the cache shared with the Hub's other clients. */
export interface Place {
  readonly name: string;
  readonly revision: string;
  readonly endpoint: string;
  /** The endpoint as messages show it: without a password. */
  readonly shownEndpoint: string;
  readonly folder: string;
  /** A folder that whoever fills the cache with this model holds. */
  readonly lock: string;
}

function env(...names: string[]): string | undefined {
  return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== '');
}

function homeFolder(): string {
  return env('HF_HOME') ?? join(env('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface');
}

export function isOffline(): boolean {
  return /^(1|true|yes|on)$/i.test(env('HF_HUB_OFFLINE') ?? '');
}

/**
 * The access token, if there is one.
 *
 * @throws RidgepointError('usage') for what no header can hold, in words that do not show it
 */
export async function readToken(): Promise<string | undefined> {
  for (const name of ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN']) {
    const value = env(name);
    if (value !== undefined) return checkToken(value, name);
  }
  const path = env('HF_TOKEN_PATH') ?? join(homeFolder(), 'token');
  const bytes = await readWhole(path, { most: 1 << 16 }).catch(() => undefined);
  return bytes === undefined ? undefined : checkToken(new TextDecoder().decode(bytes), path);
}

function checkToken(text: string, source: string): string | undefined {
  const token = text.trim();
  // A Hub's answer may repeat what it was sent.
  if (token !== '') keepSecret(token);
  if (/^[\x21-\x7e]*$/.test(token)) return token || undefined;
  const wrong = /[\r\n]/.test(token) ? 'more than one line' : 'a character that no access token has';
  throw new RidgepointError('usage', `${source}: holds ${wrong}; put the access token in it and nothing else`);
}

/** @throws RidgepointError('usage') for what can be neither a name nor a revision, or an endpoint that is no address */
export function parsePlace(name: string, revision = 'main'): Place {
  const isName = /^[A-Za-z0-9][\w.-]*(\/[A-Za-z0-9][\w.-]*)?$/.test(name) && !name.includes('..');
  if (!isName) {
    const message = `${printable(name)}: is neither a folder nor a Hub name; give one like meta-llama/Llama-2-7b-hf`;
    throw new RidgepointError('usage', message);
  }
  if (!/^\w[\w./-]*$/.test(revision) || revision.includes('..')) {
    throw new RidgepointError('usage', `${printable(revision)}: is not a revision; give a branch, a tag or a commit`);
  }
  const endpoint = (env('HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, '');
  const cache = env('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? join(homeFolder(), 'hub');
  const folder = `models--${name.replace('/', '--')}`;
  return {
    name,
    revision,
    endpoint,
    shownEndpoint: checkEndpoint(endpoint),
    folder: join(cache, folder),
    lock: join(cache, '.locks', folder, 'ridgepoint.lock'),
  };
}

/** The endpoint as it may be shown. A password in it is refused, as `fetch` does, which would show it. */
function checkEndpoint(endpoint: string): string {
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw new RidgepointError('usage', 'HF_ENDPOINT is no address; give one such as https://huggingface.co');
  }
  if (!/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    const message =
      'HF_ENDPOINT must be an http or https address without a name and password in it; give those as HF_TOKEN';
    throw new RidgepointError('usage', message);
  }
  return `${url.origin}${url.pathname === '/' ? '' : url.pathname}`;
}
