// Writes the page of a run of the kit: node main.js --results FOLDER --details FOLDER --output FILE
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { z } from 'zod';
import { inCatalogue } from '../../src/roofline/hardware/in-catalogue.js';
import { calibrationSchema } from '../../src/roofline/hardware/calibration.js';
import { kernelsSchema } from '../kernels/schema.js';
import { resultSchema } from '../schema.js';
import { writeWhole } from '../store.js';
import { ceilingsOf } from './floor.js';
import { dayPage, type DayLoad, type DaySummary } from './page.js';
import { peerSchema } from './peer.js';
import { productRows, tokenRows } from './rows.js';

const { values } = parseArgs({
  options: { results: { type: 'string' }, details: { type: 'string' }, output: { type: 'string' } },
});
const { results = '.', details = results, output = join(results, 'report.html') } = values;

/** A file of the run, where it is there and what it should be: a page of the rest is worth having. */
function read<T>(schema: z.ZodType<T>, ...path: string[]): T | undefined {
  const file = join(...path);
  if (!existsSync(file)) return undefined;
  try {
    const parsed = schema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    console.error(`${file}: ${parsed.error.issues[0].path.join('.')}: ${parsed.error.issues[0].message}; left out`);
  } catch (error) {
    console.error(`${file}: ${(error as Error).message}; left out`);
  }
  return undefined;
}

const summary = JSON.parse(readFileSync(join(results, 'summary.json'), 'utf8')) as DaySummary;
/** The largest model that is a file of its own. */
const name = readdirSync(results).find((each) => /^bench-.*\.json$/.test(each));
const result = name === undefined ? undefined : read(resultSchema, results, name);
const untuned = name === undefined ? undefined : read(resultSchema, details, name.replace('.json', '-untuned.json'));
const peer = read(peerSchema, results, 'peer.json');
const calibration = read(calibrationSchema, results, 'calibration.json');
const kernels = read(kernelsSchema, results, 'kernels.json');
const unchecked = read(kernelsSchema, details, 'kernels-unchecked.json');
const detail = <T>(file: string): T | undefined =>
  existsSync(join(details, file)) ? (JSON.parse(readFileSync(join(details, file), 'utf8')) as T) : undefined;
const probe = detail<{ pipelines: { name: string; ms: number }[] }>('probe.json');
const listed = inCatalogue(summary.adapter ?? '');
const ceilings = ceilingsOf(listed, calibration, peer);

const page = dayPage({
  summary,
  model: result?.model.name ?? 'Nothing measured',
  tokens: result === undefined ? [] : tokenRows(result, untuned, { ceilings, listed, peer }),
  products: kernels === undefined ? [] : productRows(kernels, unchecked, { ceilings, peer }),
  ceilings,
  predictedFrom: listed && `${listed.name}: ${listed.source}`,
  peer,
  pipelines: [...(probe?.pipelines ?? [])].sort((a, b) => b.ms - a.ms),
  load: detail<DayLoad>('load.json'),
});
await writeWhole(output, page);
console.log(`written to ${output}`);
