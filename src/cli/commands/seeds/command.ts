import type { Command } from '@commander-js/extra-typings';
import { oneOf } from '../../../engine/options/kinds.js';
import { DOCUMENTS, type DocumentId, type Verdict } from '../../../published/seeds/figure.js';
import { addTable, type CommandTable, type FlagsIn } from '../../options/command-table.js';
import { COMMON } from '../../options/common.js';
import { runToExit } from '../../run.js';

/** Words that `--only` takes. */
export const ONLY = {
  reproduced: 'reproduced',
  consistent: 'consistent',
  predicted: 'predicted',
  wrong: 'wrong in the source',
  simulator: 'needs the simulator',
  other: 'not reproducible here',
} as const satisfies Readonly<Record<string, Verdict>>;

export const SEEDS = {
  document: {
    kind: oneOf(Object.keys(DOCUMENTS) as DocumentId[]),
    flags: '--document <id>',
    help: 'only one document, 000 to 004',
  },
  only: {
    kind: oneOf(Object.keys(ONLY) as (keyof typeof ONLY)[]),
    flags: '--only <verdict>',
    help: 'only reproduced, consistent, predicted, wrong, simulator or other',
  },
  json: COMMON.json.json,
} as const satisfies CommandTable;

export type SeedsFlags = FlagsIn<typeof SEEDS>;

export function declare(command: Command): void {
  addTable(
    command.description(
      'Lists the numbers that five documents on prefill and decode publish, what our arithmetic gives, and which are wrong.\n' +
        'Fails if a number said to be reproduced or consistent is not, or a direction is predicted the other way.',
    ),
    'seeds',
    SEEDS,
  ).action((flags) => runToExit(async () => (await import('./run.js')).seeds(flags)));
}
