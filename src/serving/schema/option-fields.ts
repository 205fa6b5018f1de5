import * as z from 'zod';
import { GENERATE_OPTIONS } from '../../engine/options/generate-options.js';
import type { GenerateOptions } from '../../engine/api.js';
import type { GenerateOptionName } from '../../wording.js';

type Wires = typeof GENERATE_OPTIONS;
type Wire<K extends GenerateOptionName> = Wires[K]['wire'];

const NAMES = Object.keys(GENERATE_OPTIONS) as GenerateOptionName[];

/** The fields of requests that are options of the library. */
export const OPTION_FIELDS: readonly string[] = NAMES.map((name) => GENERATE_OPTIONS[name].wire);

/** Fields of options that are a number each; ranges are the engine's to check. */
export function numberFields<K extends GenerateOptionName>(
  names: readonly K[],
): Readonly<Record<Wire<K>, z.ZodOptional<z.ZodNumber>>> {
  const fields = names.map((name) => [GENERATE_OPTIONS[name].wire, z.number().optional()]);
  return Object.fromEntries(fields) as Record<Wire<K>, z.ZodOptional<z.ZodNumber>>;
}

type Requested<K extends GenerateOptionName> = { readonly [N in K as Wire<N>]?: GenerateOptions[N] };

/** Options of the library as a request has them. */
export function optionsIn<K extends GenerateOptionName>(
  request: Requested<K>,
  names: readonly K[],
): Pick<GenerateOptions, K> {
  const fields = request as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.map((name) => [name, fields[GENERATE_OPTIONS[name].wire]])) as Pick<
    GenerateOptions,
    K
  >;
}
