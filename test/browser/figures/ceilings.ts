import { calibrate } from '../../../bench/calibrate/calibrate.js';
import { nodeHost } from '../../../src/platform/node/host.js';
import type { Calibration } from '../../../src/roofline/hardware/calibration.js';
import { median } from '../../../src/statistics.js';
import { calibrateIn } from './measuring.js';
import type { Built } from './tab.js';

const ROUNDS = 2;
const FIGURES = [
  ...['readBytesPerSecond', 'copyBytesPerSecond', 'f32FlopsPerSecond', 'f16FlopsPerSecond', 'int8OpsPerSecond'],
  ...['dispatchSeconds', 'recordSeconds', 'roundTripSeconds'],
] as const;
type Figure = Exclude<keyof Calibration['ceilings'], 'subgroupMatrix'>;

/** Ceilings of one driver measured in a tab, in a tab whose timestamps are rounded, and in Node, in turn. */
export async function ceilings(built: Built): Promise<string[]> {
  const tab = await built.chromium();
  const ways: Record<string, () => Promise<Calibration>> = {
    Node: () => calibrate(nodeHost, 'figures', { adapter: 'swiftshader', ceilingsOnly: true }),
    'the tab': () => calibrateIn(tab, 'ridgepoint-measure.js', false),
    'rounded to 65 µs': () => calibrateIn(tab, 'measure-rounded.js', false),
  };
  const found = new Map<string, Calibration[]>(Object.keys(ways).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, measure] of Object.entries(ways)) found.get(name)!.push(await measure());
  }
  return (FIGURES as readonly Figure[]).map((figure) => {
    const [node, ...others] = [...found].map(([name, all]) => {
      const values = all.flatMap(({ ceilings }) => ceilings[figure] ?? []);
      return { name, value: values.length === 0 ? undefined : median(values) };
    });
    const told = others.map(({ name, value }) =>
      value === undefined || node.value === undefined
        ? `${name}: left out`
        : `${name} ${value.toPrecision(3)} (${(value / node.value).toFixed(2)} times)`,
    );
    return `${figure}: Node ${node.value?.toPrecision(3) ?? 'none'}; ${told.join('; ')}`;
  });
}
