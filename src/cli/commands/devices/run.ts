import { readCapabilities, tierOf, type Capabilities } from '../../../gpu/capabilities.js';
import { chooseAdapter, noAdapter, noSuchAdapter } from '../../../platform/node/adapter-choice.js';
import { listAdapters, type AdapterListing } from '../../../platform/node/dawn.js';
import { tuningStore } from '../../../platform/node/tuning-store.js';
import type { DevicesFlags } from './command.js';
import { print } from '../../terminal/output.js';
import { aligned } from '../../terminal/table.js';

export interface DevicesOptions extends DevicesFlags {
  /** Where the listing goes; standard output when absent. */
  readonly write?: (text: string) => void;
}

/**
 * Lists the adapters of this machine with what the engine would use of each.
 *
 * @returns the exit code
 * @throws RidgepointError `adapter` when there is none, or none of that name
 */
export async function devices({ json = false, adapter, write }: DevicesOptions): Promise<number> {
  const all = await listAdapters();
  if (all.length === 0) throw noAdapter();
  const names = all.map(({ name }) => name);
  const chosen = adapter === undefined ? undefined : chooseAdapter(names, adapter);
  if (adapter !== undefined && chosen === undefined) throw noSuchAdapter(adapter, names);
  const shown = all.filter(({ name }) => chosen === undefined || name === chosen);
  const tuned = await Promise.all(shown.map(tunedShapes));
  const text = json
    ? `${JSON.stringify(
        shown.map((listing, i) => record(listing, tuned[i])),
        null,
        2,
      )}\n`
    : `${shown.map((listing, i) => describe(listing, tuned[i])).join('\n\n')}\n`;
  (write ?? print)(text);
  return 0;
}

interface Tuned {
  readonly date: string;
  /** Shapes for which kernels were chosen by measuring. */
  readonly shapes: number;
}

/** What `ridgepoint tune`, or a first load, keeps of an adapter. */
async function tunedShapes({ name, driver }: AdapterListing): Promise<Tuned | undefined> {
  const file = await tuningStore.load(name, driver);
  return file && { date: file.date, shapes: Object.values(file.entries).filter(({ measured }) => measured).length };
}

/** One adapter for programs: every capability, limit and feature under its own name. */
function record(listing: AdapterListing, tuned: Tuned | undefined) {
  const { name, driver, source, isDefault, adapter, languageFeatures } = listing;
  const capabilities = readCapabilities(adapter, languageFeatures, listing);
  const { vendor, architecture } = adapter.info;
  return {
    name,
    driver,
    source,
    default: isDefault,
    vendor,
    architecture,
    tier: tierOf(capabilities),
    tuned: tuned ?? null,
    capabilities,
    features: [...adapter.features].sort(),
    languageFeatures: [...languageFeatures].sort(),
  };
}

function describe(listing: AdapterListing, tuned: Tuned | undefined): string {
  const { name, driver, source, isDefault } = listing;
  const capabilities = readCapabilities(listing.adapter, listing.languageFeatures, listing);
  const rows: [string, string][] = [
    ['driver', driver],
    ['kind', source === 'hardware' ? 'GPU' : `runs on the CPU (${source})`],
    ['kernels', tierOf(capabilities)],
    ['tuned', tuned === undefined ? 'no' : `${tuned.shapes} shapes, ${tuned.date.slice(0, 10)}`],
    ['features', featuresOf(capabilities)],
    ...(capabilities.disabled.length > 0 ? [['disabled', capabilities.disabled.join(', ')] as [string, string]] : []),
    ['subgroup size', subgroupSizes(capabilities)],
    ['subgroup matrix', subgroupMatrices(capabilities)],
    ['buffer', `up to ${bytes(capabilities.maxBufferBytes)}, bound up to ${bytes(capabilities.maxBindingBytes)}`],
    [
      'workgroup',
      `up to ${capabilities.maxInvocations} invocations, ${bytes(capabilities.maxWorkgroupBytes)} of shared memory`,
    ],
    [
      'bindings',
      `${capabilities.maxStorageBuffers} storage buffers a stage, aligned to ${capabilities.offsetAlignment} bytes`,
    ],
    ['immediates', capabilities.immediateBytes > 0 ? `${capabilities.immediateBytes} bytes` : 'none'],
  ];
  const lines = aligned(rows).map((line) => `  ${line}`);
  return [`${isDefault ? '*' : '-'} ${name}${isDefault ? '  (used by default)' : ''}`, ...lines].join('\n');
}

function featuresOf({ f16, subgroups, subgroupSizeControl, timestamps, packedDot }: Capabilities): string {
  const has = { f16, subgroups, 'subgroup size control': subgroupSizeControl, timestamps, 'packed dot': packedDot };
  const present = Object.entries(has).filter(([, value]) => value);
  const absent = Object.entries(has).filter(([, value]) => !value);
  const names = (entries: [string, boolean][]) => entries.map(([name]) => name).join(', ');
  return (names(present) || 'none') + (absent.length > 0 ? ` (not: ${names(absent)})` : '');
}

function subgroupSizes({ subgroups, subgroupMinSize, subgroupMaxSize }: Capabilities): string {
  if (!subgroups) return 'none';
  return subgroupMinSize === subgroupMaxSize ? `${subgroupMinSize}` : `${subgroupMinSize} to ${subgroupMaxSize}`;
}

/** For example `f16->f32 16x16x16, 16x8x16; i8->i32 16x16x32`, each M x N x K. */
function subgroupMatrices({ subgroupMatrixConfigs }: Capabilities): string {
  const shapes = new Map<string, string[]>();
  for (const { componentType, resultComponentType, M, N, K } of subgroupMatrixConfigs) {
    const types = `${componentType}->${resultComponentType}`;
    shapes.set(types, [...(shapes.get(types) ?? []), `${M}x${N}x${K}`]);
  }
  return [...shapes].map(([types, list]) => `${types} ${list.join(', ')}`).join('; ') || 'none';
}

function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB'];
  let unit = 0;
  let value = count;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${units[unit]}`;
}
