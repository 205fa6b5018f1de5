import { existsSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { RidgepointError } from '../../../errors.js';
import type { Predictor } from '../../../roofline/predict/predictor.js';
import { ProfilePrice } from '../../../simulator/price/llmservingsim.js';
import type { StepPrice } from '../../../simulator/price/price.js';
import { isVidurProfile, VidurPrice, type MeasuredFile } from '../../../simulator/price/vidur.js';
import { isSplitwiseProfile, SplitwiseProfile } from '../../../simulator/splitwise/profile.js';
import { readTextFile } from '../../text-file.js';

/** How splitwise-sim's table calls models and chips of ours. */
const SPLITWISE_NAMES: Readonly<Record<string, string>> = {
  'llama-2-70b': 'llama2-70b',
  'h100-sxm': 'h100-80gb',
  'h100-capped': 'h100-80gb-pcap',
  'a100-80': 'a100-80gb',
};
const splitwiseName = (name: string): string => SPLITWISE_NAMES[name] ?? name;

/**
 * The price of a table of measurements, whose first line says whose format it is.
 *
 * @param chip of the machine, as the cluster file calls it
 * @throws RidgepointError naming the file, and what it would have to be
 */
export async function tablePrice(path: string, predictor: Predictor, chip: string): Promise<StepPrice> {
  const text = await readTextFile(path);
  const [header] = text.split('\n', 1);
  const columns = header
    .replace(/^\uFEFF/, '')
    .split(',')
    .map((column) => column.trim());
  const { model, chips } = predictor;
  if (isSplitwiseProfile(header))
    return new SplitwiseProfile(text, path).price(splitwiseName(model.name), splitwiseName(chip), chips);
  if (isVidurProfile(columns)) return new VidurPrice(predictor, { text, name: path }, await allReducesBeside(path));
  if (['layer', 'tokens', 'time_us'].every((column) => columns.includes(column)) && /dense\.csv$/.test(path))
    return profileOf(path, text, model.layers);
  throw new RidgepointError(
    'usage',
    `${path}: is no table of prices: it must be splitwise-sim's perf_model.csv, Vidur's mlp.csv, or the file of a profile of LLMServingSim that ends in dense.csv, with ..attention.csv and ..per_sequence.csv beside it`,
  );
}

/** `..._all_reduce.csv` beside Vidur's `..._mlp.csv`, if it is there. */
async function allReducesBeside(path: string): Promise<MeasuredFile | undefined> {
  const name = path.replace(/mlp\.csv$/, 'all_reduce.csv');
  return name !== path && existsSync(name) ? { text: await readTextFile(name), name } : undefined;
}

/** The three files of a profile stand beside each other: `..._dense.csv`, `..._attention.csv`, `..._per_sequence.csv`. */
async function profileOf(path: string, dense: string, layers: number): Promise<StepPrice> {
  const [attention, perSequence] = await Promise.all(
    ['attention', 'per_sequence'].map(async (what) => {
      const file = path.replace(/dense\.csv$/, `${what}.csv`);
      await access(file).catch(() => {
        throw new RidgepointError(
          'usage',
          `${file}: there is no such file; a profile is three files, which begin alike`,
        );
      });
      return readTextFile(file);
    }),
  );
  return new ProfilePrice({ dense, attention, perSequence }, layers);
}
