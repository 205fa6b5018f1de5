import { hostOf, recordContext } from '../../../../bench/environment.js';
import { SERVE_SCHEMA_VERSION, type ServeResult } from '../../../../bench/serve/schema.js';
import { writeWhole } from '../../../../bench/store.js';
import type { BenchServeFlags } from './options.js';
import type { ChosenTarget } from './target.js';
import { print } from '../../terminal/output.js';

/** What every result says, whatever was measured. */
export async function beginning(
  { backend, info, server, options }: ChosenTarget,
  load: Record<string, unknown>,
  notes: readonly string[],
): Promise<ServeResult> {
  const engine = info();
  return {
    version: SERVE_SCHEMA_VERSION,
    kind: 'serve',
    complete: true,
    date: new Date().toISOString(),
    backend,
    options: { ...load, ...options },
    context: engine === undefined ? null : await recordContext(engine),
    server: server(),
    host: hostOf(),
    notes: [...notes],
    policies: [],
    runs: [],
  };
}

export const resultText = (result: ServeResult): string => `${JSON.stringify(result, null, 1)}\n`;

/** Writes the result where it was asked for, and prints it, or else `text`. */
export async function tellResult(result: ServeResult, text: string, flags: BenchServeFlags): Promise<void> {
  if (flags.output !== undefined) await writeWhole(flags.output, resultText(result));
  print(flags.format === 'json' ? resultText(result) : text);
}
