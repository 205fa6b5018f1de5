import type { Capabilities } from '../../gpu/capabilities.js';
import type { Defines } from '../../gpu/shader-source.js';
import { quantFormat } from '../../quantization/formats.js';
import { UNFUSED } from './fusion.js';
import type { MatmulVariant } from './kernel.js';
import { MOST_TURNS } from '../subgroup-matrix.js';
import { laneDefines, TOLERANCE, variantOf } from '../variant.js';
import { unitWords, weightDefines, type WeightLayout } from '../weights.js';

const WORKGROUP = 64;

/** Bytes of weights that a lane names before it uses any: as many registers of 4 bytes are filled from memory at once. */
const NAMED_BYTES = 128;

/** Subgroups that keep a large GPU busy: 16 on each of 128 multiprocessors, 8 where each has more to compute. */
const ENOUGH_SUBGROUPS = { floats: 2048, quants: 1024 };

/** Outputs that a subgroup makes of so many rows; more sums than 16 would take the registers that loads need. */
const OUTPUTS: readonly { readonly rows: number; readonly outputs: readonly number[] }[] = [
  { rows: 1, outputs: [8, 4, 2, 1] },
  { rows: 2, outputs: [4, 2] },
  { rows: 4, outputs: [4, 2] },
  { rows: 8, outputs: [2] },
];

/** Whether a workgroup has two subgroups, whose outputs make a pair. */
const pairs = ({ subgroupMaxSize }: Capabilities): boolean => subgroupMaxSize <= WORKGROUP / 2;

/** The size of an adapter's subgroups, 0 where it has several. */
const fixedLanes = ({ subgroupMinSize, subgroupMaxSize }: Capabilities): number =>
  subgroupMinSize === subgroupMaxSize && subgroupMinSize <= WORKGROUP ? subgroupMinSize : 0;

/**
 * Outputs a subgroup makes where nothing was measured: the more, the fewer loads of x, but so few that there are
 * subgroups enough. The bytes on their way do not depend on it. Of quants a load of x serves fewer bytes, so that they
 * go up to 8.
 */
function usualOutputs(n: number, layout: WeightLayout, tried: readonly number[], { isCpu }: Capabilities): number {
  const quantized = quantFormat(layout.dtype) !== undefined;
  const most = !quantized || isCpu ? 4 : 8;
  const enough = isCpu ? 0 : ENOUGH_SUBGROUPS[quantized ? 'quants' : 'floats'];
  const fit = tried.filter((each) => each <= most && n / each >= enough);
  return fit.length > 0 ? Math.max(...fit) : Math.min(...tried);
}

/** Of both kinds. */
function sharedDefines(rows: number, outputs: number, steps: number, paired: boolean): Defines {
  return {
    // Rows of decoding sequences.
    prefill: false,
    // How long a row is is known: `sized` sets it, and says the rest.
    counted: false,
    // The bound of a loop that is left by `break`.
    MOST_TURNS,
    // Two subgroups make a pair of outputs together.
    paired,
    // Threads of a workgroup.
    WG: WORKGROUP,
    // Rows of x that a group makes.
    MT: rows,
    // Outputs that it makes of each.
    R: outputs,
    // Strides whose weights a lane names before it uses any.
    STEPS: steps,
    // Loops that take the columns: those of whole turns, then the rest.
    PARTS: 1,
    // The first of them in which what lies beyond a row counts as zero.
    MASKED_PART: 0,
  };
}

function vec(rows: number, outputs: number, layout: WeightLayout, capabilities: Capabilities): MatmulVariant {
  const paired = outputs === 1;
  const lanes = fixedLanes(capabilities);
  const most = layout.lanes === 1 && !capabilities.isCpu ? 8 : 2; // a CPU driver needs long to compile what it gains nothing by
  const steps = Math.max(1, Math.min(most, Math.floor(NAMED_BYTES / (outputs * 4 * unitWords(layout.dtype)))));
  const fits = (adapter: Capabilities): boolean =>
    paired ? pairs(adapter) : adapter.subgroupMinSize >= (rows * outputs) / 2;
  const tried = OUTPUTS.find((each) => each.rows === rows)!.outputs.filter((each) => each > 1 || pairs(capabilities));
  return variantOf({
    name: `vec${rows}x${outputs}`,
    tolerance: TOLERANCE.f32,
    compiles: rows > 1 ? 'seconds' : undefined,
    needs: ['subgroups'],
    fits,
    order: 'vec',
    shader: 'matmul/matmul_vec.wgsl',
    bindings: 'uurrw',
    defines: {
      ...laneDefines(capabilities),
      ...weightDefines(layout),
      ...UNFUSED,
      ...sharedDefines(rows, outputs, steps, paired),
    },
    phase: 'decode',
    rowsPerGroup: rows,
    usual: ({ n }) => outputs === usualOutputs(n, layout, tried, capabilities),
    sized: (units): Defines => {
      if (lanes === 0) return {};
      const turn = Math.max(1, Math.min(steps, Math.ceil(units / lanes)));
      const whole = Math.floor(units / (turn * lanes));
      const rest = units % (turn * lanes) > 0;
      // A row shorter than a turn is one that is not whole: a loop that never turns would be guarded.
      const parts = whole === 0 ? { PARTS: 1, MASKED_PART: 0 } : { PARTS: rest ? 2 : 1, MASKED_PART: 1 };
      return {
        // The loop's turns are known.
        counted: true,
        // Units of eight columns of a row.
        K8: units,
        // Threads of a subgroup.
        LANES: lanes,
        // Strides of a turn.
        STEPS: turn,
        // Turns in which every lane has work.
        WHOLE_TURNS: Math.max(1, whole),
        ...parts,
      };
    },
    groups: (n, adapter) => {
      const teams = WORKGROUP / Math.min(WORKGROUP, adapter.subgroupMaxSize);
      return Math.min(Math.ceil(n / (teams * outputs)), adapter.maxWorkgroupsPerDimension);
    },
  });
}

/** Without subgroups: a workgroup makes the outputs, and its size decides which products a thread adds. */
function tree(rows: number, outputs: number, layout: WeightLayout): MatmulVariant {
  return variantOf({
    name: `vec${rows}-tree`,
    tolerance: TOLERANCE.f32,
    compiles: rows > 2 ? 'seconds' : undefined,
    needs: [],
    order: `tree${WORKGROUP}`,
    shader: 'matmul/matmul_vec.wgsl',
    bindings: 'uurrw',
    defines: {
      // A tree in workgroup memory adds up.
      subgroups: false,
      // There are none to number.
      subgroup_id: false,
      ...weightDefines(layout),
      ...UNFUSED,
      ...sharedDefines(rows, outputs, 1, false),
    },
    phase: 'decode',
    rowsPerGroup: rows,
    groups: (n, adapter) => Math.min(Math.ceil(n / outputs), adapter.maxWorkgroupsPerDimension),
  });
}

/** Products for few rows whose lanes share a row of weights; all with subgroups have one order of sums. */
export function vecVariants(layout: WeightLayout, capabilities: Capabilities): MatmulVariant[] {
  return OUTPUTS.flatMap(({ rows, outputs }) => [
    ...outputs.map((each) => vec(rows, each, layout, capabilities)),
    tree(rows, rows > 4 ? 2 : 4, layout),
  ]);
}
