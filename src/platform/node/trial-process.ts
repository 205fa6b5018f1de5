import { writeFileSync } from 'node:fs';
import { measure } from '../../tuning/autotune.js';
import { contestsOf } from '../../tuning/contests.js';
import type { TrialRequest } from '../../engine/drivers/prepare.js';
import type { Finding } from '../../engine/drivers/record.js';
import { checkDefaults, runDefaults } from '../../engine/drivers/trial.js';
import { Gpu } from '../../gpu/gpu.js';
import { RidgepointError } from '../../errors.js';
import { nodeHost } from './host.js';

/** What it says, as lines of JSON. */
export type TrialNews =
  /** Pipelines about to be compiled or run; none once they went well. */
  | { readonly trying: readonly string[] }
  | { readonly tuning: { readonly done: number; readonly total: number; readonly key: string } }
  | { readonly findings: readonly Finding[] }
  | { readonly refused: string; readonly lacksVariant: boolean }
  | { readonly hopeless: string }
  | { readonly uncompiled: string }
  | { readonly lost: string };

/** At once and whole: the next thing this process does may be its last. */
const tell = (news: TrialNews): void => writeFileSync(1, `${JSON.stringify(news)}\n`);

let gpu: Gpu | undefined;

async function main(): Promise<void> {
  const { adapter, model, withheld, check, tuneMs } = JSON.parse(process.argv[2]) as TrialRequest;
  gpu = await Gpu.open(await nodeHost.openGpu(adapter));
  const device = gpu;
  device.withhold(withheld);
  device.pipelines.trying = (names) => tell({ trying: names });
  await runDefaults(device, model);
  const findings = check ? await checkDefaults(device, model) : [];
  if (tuneMs !== undefined) {
    const { config, kv, limits } = model;
    const list = contestsOf(config, { formats: model, sequences: limits.sequences, kv }, device);
    const store = nodeHost.tuning;
    const kept = await store?.load(device.name, device.driver);
    const onProgress = (done: number, total: number, key: string): void => tell({ tuning: { done, total, key } });
    const request = { ...model, sequences: limits.sequences, gpu: device, weightBytes: 0, store, check, onProgress };
    await measure(request, list, kept, { budgetMs: tuneMs });
  }
  tell({ findings });
  await device.dispose();
}

/** Why it cannot go on. A device that was lost is the driver's doing, as a crash is. */
function explain(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof RidgepointError ? error.code : undefined;
  const uncompiled = /^kernel (.+\)) does not compile/.exec(message)?.[1];
  if (gpu?.lost) tell({ lost: message });
  else if (uncompiled !== undefined) tell({ uncompiled });
  else if (code === 'device') tell({ hopeless: message });
  else
    tell({ refused: message, lacksVariant: code !== 'memory' && /no variant|does not exist|undefined/.test(message) });
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    explain(error);
    process.exit(1);
  },
);
