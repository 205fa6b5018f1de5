import type { Command } from '@commander-js/extra-typings';
import { anyText, whole } from '../../../engine/options/kinds.js';
import { addTable, type CommandTable, type FlagsIn } from '../../options/command-table.js';
import { runToExit } from '../../run.js';

export const IMPORT = {
  device: { kind: anyText, flags: '--device <id>', help: 'hardware it ran on, as in "predict list"', required: true },
  engine: { kind: anyText, flags: '--engine <name>', help: 'engine, as predict’s --engine takes it', required: true },
  model: { kind: anyText, flags: '--model <name>', help: 'model, as predict’s --model takes it', required: true },
  engineVersion: { kind: anyText, flags: '--engine-version <text>', help: 'version of the engine' },
  weights: { kind: anyText, flags: '--weights <format>', help: 'how weights were stored (default: f16)' },
  tp: { kind: whole(1), flags: '--tp <n>', help: 'chips that shared the model (default: 1)' },
} as const satisfies CommandTable;

export type ImportFlags = FlagsIn<typeof IMPORT>;

export function declare(command: Command): void {
  const asked = command
    .description(
      'Reads a result of llama-bench, vllm bench serve, SGLang’s bench_serving or AIPerf; prints ledger rows.',
    )
    .argument('<file>', 'the result: JSON, or a line of JSON each');
  addTable(asked, 'import', IMPORT).action((file, flags) =>
    runToExit(async () => (await import('./run.js')).importCommand(file, flags)),
  );
}
