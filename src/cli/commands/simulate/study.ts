import { resolve, dirname } from 'node:path';
import { z } from 'zod';
import { parseJson } from '../../../checkpoint/mistakes.js';
import { RidgepointError } from '../../../errors.js';
import { clusterSchema, type ClusterFile } from '../../../simulator/cluster-file.js';
import { parseSlo } from '../../../simulator/slo.js';
import { LENGTHS_WANTED, readLengths, type Lengths } from '../../../traffic/lengths.js';
import { readTextFile } from '../../text-file.js';
import { readCluster } from './build-cluster.js';
import type { SimulateFlags } from './options.js';

const count = z.int().positive();

/** The load of a point, under the names of the command's options. */
const loadSchema = z.strictObject({
  trace: z.string().optional(),
  rate: z.number().positive().optional(),
  duration: z.number().positive().optional(),
  num_prompts: count.optional(),
  resample: z.enum(['together', 'independent']).optional(),
  input_len: z.union([count, z.string()]).optional(),
  output_len: z.union([count, z.string()]).optional(),
  warmup: z
    .union([z.enum(['none', 'mser-5']), z.number().nonnegative()])
    .optional()
    .describe('what does not count at the beginning: none (default), seconds, or what mser-5 cuts'),
  seed: z.int().nonnegative().optional(),
});

/** A point of a study: what remains when every list has become one of its values. */
const pointSchema = z.strictObject({
  cluster: z.union([z.string(), z.record(z.string(), z.unknown())]).describe('a file, or what such a file holds'),
  load: loadSchema,
  slo: z.string().optional(),
});

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A value that stood in a list, with where. */
export interface Setting {
  readonly name: string;
  readonly value: string | number | boolean;
}

/** One combination of the values of a study. */
export interface StudyPoint {
  readonly settings: readonly Setting[];
  readonly content: Json;
}

/** @throws RidgepointError naming the file */
export async function readStudy(path: string): Promise<StudyPoint[]> {
  const content = parseJson(await readTextFile(path), path) as Json;
  const points = expand(content, []);
  if (points.length === 0) throw new RidgepointError('usage', `${path}: a list is empty, so there is nothing to run`);
  return points;
}

/**
 * Every combination of the values of all lists of plain values, the last list varying fastest. Lists of objects are what
 * they are: pools.
 */
function expand(value: Json, path: readonly string[]): StudyPoint[] {
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    if (list.every((each) => typeof each !== 'object')) {
      return list.map((each) => ({
        settings: [{ name: path.join('.'), value: each }],
        content: each,
      }));
    }
    return combine(list.map((each, at) => expand(each, [...path, nameOf(each, at)]))).map(({ settings, parts }) => ({
      settings,
      content: parts,
    }));
  }
  if (typeof value !== 'object' || value === null) return [{ settings: [], content: value }];
  const entries = Object.entries(value as Readonly<Record<string, Json>>);
  return combine(entries.map(([key, each]) => expand(each, [...path, key]))).map(({ settings, parts }) => ({
    settings,
    content: Object.fromEntries(entries.map(([key], at) => [key, parts[at]])),
  }));
}

const nameOf = (value: Json, at: number): string => {
  const name = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined;
  return typeof name === 'string' ? name : String(at);
};

function combine(choices: readonly StudyPoint[][]): { readonly settings: Setting[]; readonly parts: Json[] }[] {
  return choices.reduce<{ readonly settings: Setting[]; readonly parts: Json[] }[]>(
    (all, options) =>
      all.flatMap(({ settings, parts }) =>
        options.map((option) => ({
          settings: [...settings, ...option.settings],
          parts: [...parts, option.content],
        })),
      ),
    [{ settings: [], parts: [] }],
  );
}

/** A point ready to run. @throws RidgepointError naming the file and the field */
export async function resolvePoint(
  { content }: StudyPoint,
  path: string,
): Promise<{ readonly cluster: ClusterFile; readonly flags: SimulateFlags }> {
  const read = pointSchema.safeParse(content);
  if (!read.success) fail(path, read.error);
  const { cluster, load, slo } = read.data;
  const beside = (file: string): string => resolve(dirname(path), file);
  const flags: SimulateFlags = {
    trace: load.trace?.replace(
      /^(azure|splitwise|mooncake|serve):(.+)$/,
      (_, kind: string, file: string) => `${kind}:${beside(file)}`,
    ),
    rate: load.rate,
    duration: load.duration,
    numPrompts: load.num_prompts,
    resample: load.resample,
    warmup: load.warmup,
    seed: load.seed,
    inputLen: lengthsOf(load, 'input_len'),
    outputLen: lengthsOf(load, 'output_len'),
    slo: slo === undefined ? undefined : parseSlo(slo),
  };
  if (typeof cluster === 'string') return { cluster: await readCluster(beside(cluster)), flags };
  const parsed = clusterSchema.safeParse(cluster);
  if (!parsed.success) fail(`${path}: cluster`, parsed.error);
  return { cluster: parsed.data, flags };
}

function lengthsOf(load: z.infer<typeof loadSchema>, field: 'input_len' | 'output_len'): Lengths | undefined {
  const given = load[field];
  if (given === undefined) return undefined;
  const found = readLengths(String(given));
  if (found !== undefined) return found;
  throw new RidgepointError('usage', `load.${field} must be ${LENGTHS_WANTED}, found ${JSON.stringify(given)}`);
}

function fail(where: string, { issues: [{ path, message }] }: z.ZodError): never {
  throw new RidgepointError('usage', `${where}: ${path.length > 0 ? `${path.join('.')}: ` : ''}${message}`);
}

export const studyJsonSchema = (): object =>
  z.toJSONSchema(pointSchema.extend({ cluster: z.union([z.string(), clusterSchema]) }), {
    target: 'draft-2020-12',
    io: 'input',
  });
