import { SERVICE_NAMES } from '../../../traffic/synthetic.js';

/** What `--trace` takes, after "must be". */
export const TRACE_WANTED = `azure:FILE, splitwise:FILE, mooncake:FILE, serve:FILE, ${SERVICE_NAMES.map((name) => `synthetic:${name}`).join(' or ')}`;

/** A trace: a file of some kind, or a service whose requests are made up. */
type TraceParts =
  | { readonly kind: 'azure' | 'splitwise' | 'mooncake' | 'serve'; readonly file: string }
  | { readonly kind: 'synthetic'; readonly service: (typeof SERVICE_NAMES)[number] };

/** Reads `azure:FILE` and the like; undefined where it is none. */
export function traceParts(given: string): TraceParts | undefined {
  const [, kind, rest] = /^(azure|splitwise|mooncake|synthetic|serve):(.+)$/.exec(given) ?? [];
  if (kind === 'azure' || kind === 'splitwise' || kind === 'mooncake' || kind === 'serve') return { kind, file: rest };
  const service = kind === 'synthetic' ? SERVICE_NAMES.find((name) => name === rest) : undefined;
  return service && { kind: 'synthetic', service };
}
