import { RidgepointError } from '../../../errors.js';

/** Options of one answer of `predict cost` that the other does not take. */
const OF_TOKENS = [
  ...['model', 'hardware', 'adapter', 'calibration', 'prompt', 'output', 'batch', 'cached', 'weightDtype', 'kvDtype'],
  ...['computeDtype', 'kernels', 'engine', 'tp', 'pp', 'ep', 'prefillChunk', 'usdPerHour', 'watts', 'network', 'csv'],
];
const OF_CHIPS = ['chip', 'die', 'memory', 'memoryType', 'bandwidth', 'packages', 'price', 'cluster'];

export interface CostFlags {
  readonly perToken?: boolean;
}

const optionOf = (flag: string): string => `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @throws RidgepointError that names an option which the answer asked for does not take */
export function checkCostFlags(flags: CostFlags): void {
  const strange = Object.keys(flags).find((flag) => (flags.perToken ? OF_CHIPS : OF_TOKENS).includes(flag));
  if (strange === undefined) return;
  const problem = flags.perToken ? 'is about chips and does not go with --per-token' : 'needs --per-token';
  throw new RidgepointError('usage', `${optionOf(strange)} ${problem}`);
}
