import { parseJson } from '../../../checkpoint/mistakes.js';
import { isPlainFileName } from '../../../checkpoint/source.js';
import { RidgepointError } from '../../../errors.js';
import type { RemoteFile } from './download.js';
import { ask } from './fetching.js';

export const INDEX = 'model.safetensors.index.json';
const SINGLE = 'model.safetensors';

/** All texts that a model's folder may hold. */
export const TEXTS = [
  ...['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'],
  ...[
    'added_tokens.json',
    'chat_template.jinja',
    'chat_template.json',
    'quantize_config.json',
    'quant_config.json',
    'hf_quant_config.json',
    INDEX,
  ],
];

/** A folder on a server. */
export interface RemoteFolder {
  /** Below which its files are. */
  readonly url: string;
  readonly commit?: string;
  /** By name, where the server lists them. */
  readonly files?: ReadonlyMap<string, RemoteFile>;
}

interface HubAnswer {
  readonly sha?: string;
  readonly siblings?: readonly {
    readonly rfilename: string;
    readonly size?: number;
    readonly lfs?: { readonly sha256?: string; readonly size?: number };
  }[];
}

/** Asks the Hub for a model's commit and files. @throws RidgepointError naming the model */
export async function listHub(hub: string, name: string, headers: Record<string, string>): Promise<RemoteFolder> {
  const url = new URL(`api/models/${name}/revision/main?blobs=true`, hub).href;
  const response = await ask(url, { headers });
  if (response === undefined) {
    const page = new URL(name, hub).href;
    throw new RidgepointError('network', `${name}: the Hub has no such model; check the name at ${page}`);
  }
  const { sha, siblings } = parseJson(await response.text(), url) as HubAnswer;
  if (sha === undefined || siblings === undefined) {
    throw new RidgepointError('network', `${url}: is not what the Hub says of a model; check hubUrl`);
  }
  const base = new URL(`${name}/resolve/${sha}/`, hub).href;
  const files = siblings.map(({ rfilename: file, size, lfs }): [string, RemoteFile] => [
    file,
    { name: file, url: new URL(file, base).href, size: lfs?.size ?? size, sha256: lfs?.sha256 },
  ]);
  return { url: base, commit: sha, files: new Map(files.filter(([file]) => isPlainFileName(file))) };
}

/**
 * The files that a checkpoint's weights are in.
 *
 * @param index the text of its index, where it has one
 * @throws RidgepointError where the index lists no files
 */
export function weightFiles({ url, files }: RemoteFolder, index: string | undefined): RemoteFile[] {
  const file = (name: string): RemoteFile => files?.get(name) ?? { name, url: new URL(name, url).href };
  if (files?.has(SINGLE)) return [file(SINGLE)];
  if (index !== undefined) {
    const { weight_map: map = {} } = parseJson(index, INDEX) as { weight_map?: Record<string, unknown> };
    const names = [...new Set(Object.values(map))].filter((name) => typeof name === 'string' && isPlainFileName(name));
    if (names.length === 0) throw new RidgepointError('checkpoint', `${new URL(INDEX, url).href}: lists no files`);
    return (names as string[]).sort().map(file);
  }
  const listed = [...(files?.values() ?? [])].filter(({ name }) => name.endsWith('.safetensors'));
  return listed.length > 0 ? listed : [file(SINGLE)];
}
