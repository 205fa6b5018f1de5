import { isPlainFileName, printable } from '../../checkpoint/source.js';
import { RidgepointError } from '../../errors.js';
import type { Place } from './hub-place.js';

/** A file as the Hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Names the blob in the cache: the SHA-256 of a large file, the git object id of a small one. */
  readonly etag: string;
}

export const COMMIT = /^[0-9a-f]{40}$/;
export const ETAG = /^([0-9a-f]{40}|[0-9a-f]{64})$/;

/** How long the Hub may take to answer what is in a model, in milliseconds: two questions, or a page of a long answer. */
const LISTING_MS = 20_000;
/** Entries of a listing after which it is taken for one without an end. */
const MOST_FILES = 100_000;

/** Requests with the access token, which goes to the Hub alone. */
export function hubFetcher({ endpoint }: Place, token: string | undefined, signal?: AbortSignal): typeof fetch {
  const home = new URL(endpoint).origin;
  return (input, init) => {
    const headers = new Headers(init?.headers);
    const url = new URL(input instanceof Request ? input.url : input);
    // A listing names its own next page: the token must not follow it to another host.
    if (token !== undefined && url.origin === home) headers.set('Authorization', `Bearer ${token}`);
    return fetch(input, { ...init, headers, signal: init?.signal ?? signal });
  };
}

/** A refusal by the Hub as a sentence with a way out. */
export function refused(
  { name, revision, shownEndpoint }: Place,
  status: number,
  hasToken: boolean,
  cause?: unknown,
): RidgepointError {
  const page = `${shownEndpoint}/${name}`;
  let message: string;
  if (status === 401 && !hasToken) {
    message = `${name}: there is no public model of that name; check the name, or set HF_TOKEN if it is private or gated`;
  } else if (status === 401) {
    message = `${name}: the Hub does not accept the access token; check HF_TOKEN, and the model's name`;
  } else if (status === 403) {
    message = `${name}: access is restricted; accept its terms at ${page} and set HF_TOKEN to a token of that account`;
  } else if (status === 404) {
    message = `${name}: the Hub has no such model, or no revision ${printable(revision)} of it; check the name at ${page}`;
  } else if (status === 429) {
    message = `${name}: the Hub asks to slow down; wait some minutes and run again, the download resumes`;
  } else {
    message = `${name}: the Hub answered with status ${status}; run again later, the download resumes`;
  }
  return new RidgepointError('network', message, { cause });
}

export function unreachable({ name, shownEndpoint }: Place, error: unknown): RidgepointError {
  const { message, cause } = error as Error;
  const detail = cause instanceof Error && cause.message !== '' ? cause.message : message;
  const advice = 'check the network and run again, or give a local folder';
  const why = printable(detail);
  return new RidgepointError('network', `${name}: cannot reach ${shownEndpoint} (${why}); ${advice}`, { cause: error });
}

/**
 * Calls `work` with a signal that is aborted when nothing was heard for so long, or by the caller's own. `work` says that
 * it heard something by calling `heard`.
 */
export async function notSilent<T>(
  ms: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal, heard: () => void) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const silent = (): void => stop.abort(new Error(`nothing was heard for ${ms / 1000} s`));
  const aborted = (): void => stop.abort(signal?.reason);
  signal?.throwIfAborted();
  signal?.addEventListener('abort', aborted, { once: true });
  let timer = setTimeout(silent, ms);
  try {
    return await work(stop.signal, () => {
      clearTimeout(timer);
      timer = setTimeout(silent, ms);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', aborted);
  }
}

interface ListOptions {
  readonly hasToken: boolean;
  readonly signal?: AbortSignal;
  readonly patience?: number;
}

/** Asks the Hub for a revision's commit and its files, those in folders left out. */
export async function listModel(
  place: Place,
  hubFetch: typeof fetch,
  options: ListOptions,
): Promise<{ commit: string; files: Map<string, HubFile> }> {
  return asking(place, options, async (stop, heard) => {
    // Loaded here, because a model that is on disk needs none of it.
    const { modelInfo } = await import('@huggingface/hub');
    const { name, revision, endpoint: hubUrl } = place;
    const fetch: typeof hubFetch = (input, init) => hubFetch(input, { ...init, signal: stop });
    const { sha } = await modelInfo({ name, revision, hubUrl, fetch, additionalFields: ['sha'] });
    heard();
    if (!COMMIT.test(sha)) throw new Error(`${printable(String(sha))} is no commit`);
    return { commit: sha, files: await filesIn(place, sha, fetch, heard) };
  });
}

/** The files of a folder directly inside a model, under their paths; none where there is no such folder. */
export async function listFolder(
  place: Place,
  commit: string,
  folder: string,
  hubFetch: typeof fetch,
  options: ListOptions,
): Promise<Map<string, HubFile>> {
  return asking(place, options, async (stop, heard) => {
    const { HubApiError } = await import('@huggingface/hub');
    const fetch: typeof hubFetch = (input, init) => hubFetch(input, { ...init, signal: stop });
    try {
      return await filesIn(place, commit, fetch, heard, folder);
    } catch (error) {
      if (error instanceof HubApiError && error.statusCode === 404) return new Map<string, HubFile>();
      throw error;
    }
  });
}

/** Files of a commit that are directly inside the model's folder, or inside one of its folders. */
async function filesIn(
  { name, endpoint: hubUrl }: Place,
  revision: string,
  fetch: typeof globalThis.fetch,
  heard: () => void,
  folder?: string,
): Promise<Map<string, HubFile>> {
  const { listFiles } = await import('@huggingface/hub');
  const inside = folder === undefined ? '' : `${folder}/`;
  const files = new Map<string, HubFile>();
  let listed = 0;
  for await (const file of listFiles({ repo: { type: 'model', name }, path: folder, revision, hubUrl, fetch })) {
    heard();
    if (++listed > MOST_FILES) throw new Error(`it lists more than ${MOST_FILES} files`);
    const etag = file.lfs?.oid ?? file.oid ?? '';
    const isWhole = Number.isSafeInteger(file.size) && file.size >= 0;
    const isPlain = file.path.startsWith(inside) && isPlainFileName(file.path.slice(inside.length));
    if (file.type !== 'file' || !isPlain || !isWhole || !ETAG.test(etag)) continue;
    files.set(file.path, { path: file.path, size: file.size, etag });
  }
  return files;
}

/** @throws RidgepointError in words for whatever the Hub or the network has against it; the signal's reason if aborted */
async function asking<T>(
  place: Place,
  { hasToken, signal, patience = LISTING_MS }: ListOptions,
  ask: (stop: AbortSignal, heard: () => void) => Promise<T>,
): Promise<T> {
  const { HubApiError } = await import('@huggingface/hub');
  try {
    return await notSilent(patience, signal, ask);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof HubApiError) throw refused(place, error.statusCode, hasToken, error);
    throw unreachable(place, error);
  }
}
