import { KERNEL_FAMILIES, type KernelFamily } from '../../../roofline/hardware/families.js';
import type { KnownEfficiencies } from '../../../roofline/hardware/efficiency.js';
import { digits } from '../../terminal/format.js';
import { textTable, type Column } from '../../terminal/table.js';

/** What kernels are taken to reach, and where that is from; printed with every answer. */
export function efficiencyTable({ values, origin }: KnownEfficiencies): string {
  const columns: Column<KernelFamily>[] = [
    { head: 'efficiency of', key: 'family', value: (family) => family, text: (family) => family },
    ...(['compute', 'bandwidth'] as const).map((name): Column<KernelFamily> => {
      const value = (family: KernelFamily) => values[family][name];
      return { head: name, key: name, value, text: (family) => `${digits(100 * value(family))} %` };
    }),
    {
      head: 'exponent',
      key: 'overlap',
      value: (family) => values[family].overlap,
      text: (family) => (Number.isFinite(values[family].overlap) ? digits(values[family].overlap) : 'max'),
    },
    {
      head: 'launch',
      key: 'launch_us',
      value: (family) => 1e6 * values[family].launchSeconds,
      text: (family) => `${digits(1e6 * values[family].launchSeconds, 2)} us`,
    },
    { head: 'from', key: 'origin', value: (family) => origin[family], text: (family) => origin[family] },
  ];
  return textTable(KERNEL_FAMILIES, columns);
}

export function efficiencyJson({ values, origin }: KnownEfficiencies): Record<string, unknown> {
  return Object.fromEntries(
    KERNEL_FAMILIES.map((family) => {
      const { compute, bandwidth, overlap, launchSeconds } = values[family];
      return [
        family,
        {
          compute,
          bandwidth,
          overlap: Number.isFinite(overlap) ? overlap : 'max',
          launch_us: 1e6 * launchSeconds,
          origin: origin[family],
        },
      ];
    }),
  );
}

/** Where the efficiencies are from, in a line. */
export function originLine({ origin }: KnownEfficiencies): string {
  return `efficiencies: ${[...new Set(Object.values(origin))].join('; ')}\n`;
}
