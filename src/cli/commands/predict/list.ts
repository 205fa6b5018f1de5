import { CATALOGUE } from '../../../roofline/hardware/catalogue.js';
import type { Dated, Hardware } from '../../../roofline/hardware/hardware.js';
import { bytes, digits } from '../../terminal/format.js';
import { emit } from '../../terminal/answer.js';
import { findHardware } from './subjects.js';
import type { Column } from '../../terminal/table.js';

const optional = (
  head: string,
  key: string,
  value: (row: Hardware) => number | undefined,
  scale: number,
  programs = false,
): Column<Hardware> => ({
  head,
  key,
  value,
  text: programs
    ? undefined
    : (row) => {
        const found = value(row);
        return found === undefined ? '-' : digits(found / scale, 4);
      },
});

const dated = (figure: Dated | undefined) => figure && `${figure.date}: ${figure.source}`;

const columns: readonly Column<Hardware>[] = [
  { head: 'id', key: 'id', value: ({ id }) => id, text: ({ id }) => id },
  { head: 'name', key: 'name', value: ({ name }) => name },
  { head: 'kind', key: 'kind', value: ({ kind }) => kind },
  optional('f16 T', 'dense_f16', ({ dense }) => dense.f16, 1e12),
  optional('f16/f16 T', 'dense_f16_acc16', ({ dense }) => dense.f16Accumulate16, 1e12),
  optional('fp8 T', 'dense_fp8', ({ dense }) => dense.fp8, 1e12),
  optional('int8 T', 'dense_int8', ({ dense }) => dense.int8, 1e12),
  optional('int4 T', 'dense_int4', ({ dense }) => dense.int4, 1e12),
  optional('fp4 T', 'dense_fp4', ({ dense }) => dense.fp4, 1e12),
  optional('', 'sparse_f16', ({ sparse }) => sparse?.f16, 1e12, true),
  optional('', 'sparse_fp8', ({ sparse }) => sparse?.fp8, 1e12, true),
  optional('', 'sparse_int8', ({ sparse }) => sparse?.int8, 1e12, true),
  optional('shader f16 T', 'shader_f16', ({ shader }) => shader.f16, 1e12),
  optional('f32 T', 'shader_f32', ({ shader }) => shader.f32, 1e12),
  optional('GB/s', 'bandwidth', ({ bandwidth }) => bandwidth, 1e9),
  {
    head: 'memory',
    key: 'capacity_bytes',
    value: ({ capacityBytes }) => (Number.isFinite(capacityBytes) ? capacityBytes : undefined),
    text: ({ capacityBytes }) => bytes(capacityBytes),
  },
  { head: '', key: 'capacity_unit', value: ({ capacityUnit }) => capacityUnit },
  optional('link GB/s', 'link_bytes_per_second', ({ link }) => link?.bytesPerSecond, 1e9),
  optional('', 'link_latency_us', ({ link }) => link && 1e6 * link.latencySeconds, 1, true),
  optional('W', 'tdp_watts', ({ tdpWatts }) => tdpWatts, 1),
  optional('$', 'price_usd', ({ priceUsd }) => priceUsd, 1),
  optional('$/h', 'price_per_hour_usd', ({ pricePerHour }) => pricePerHour?.value, 1),
  { head: '', key: 'price_per_hour_source', value: ({ pricePerHour }) => dated(pricePerHour) },
  optional('', 'watts_serving', ({ wattsServing }) => wattsServing?.value, 1, true),
  { head: '', key: 'watts_serving_source', value: ({ wattsServing }) => dated(wattsServing) },
  { head: '', key: 'source', value: ({ source }) => source },
  { head: '', key: 'unchecked', value: ({ unchecked }) => unchecked },
  { head: '', key: 'note', value: ({ note }) => note },
];

/** The catalogue, and this machine where it was calibrated. */
export async function listCommand(flags: { readonly json?: boolean; readonly csv?: boolean }): Promise<number> {
  const here = await findHardware({ hardware: ['this-machine'] }).catch(() => []);
  return emit(flags, {
    rows: [...here, ...CATALOGUE],
    columns,
    before:
      'T: 10^12 operations a second, dense, a multiply-add being two; f16/f16 sums in f16; shader: without matrix units\n',
    after: '--json and --csv add sparse rates, sources and notes\n',
  });
}
