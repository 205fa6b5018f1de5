import { Op, type Instruction, type SpirvModule } from './spirv.js';

/** A load from a storage buffer. */
export interface StorageLoad {
  readonly binding: number;
  /** The kernel only reads the buffer: it holds weights, cached tokens, activations. */
  readonly readOnly: boolean;
  /** Bytes a thread loads at once; 0 for a matrix, whose parts lie as the driver likes. */
  readonly bytes: number;
}

/** A loop with all that runs in it: loops inside it and functions it calls. */
export interface Loop {
  /**
   * Tint could not see that the loop ends, so it counts turns in 64 bits and leaves by a second exit: no driver unrolls
   * it.
   */
  readonly guarded: boolean;
  readonly loads: readonly StorageLoad[];
  /** Products of numbers, dot products and matrix products, as written, not as often as they run. */
  readonly products: number;
  /** Waits of the workgroup. */
  readonly barriers: number;
  /** Holds no other loop. */
  readonly innermost: boolean;
  /** Instructions, as written. */
  readonly size: number;
}

const STORAGE_BUFFER = 12;
const BINDING = 33;
const NON_WRITABLE = 24;
const FMA = 50; // of GLSL.std.450
const PRODUCTS: ReadonlySet<number> = new Set([
  Op.FMul,
  Op.VectorTimesScalar,
  Op.DotProduct,
  Op.SDot,
  Op.UDot,
  Op.MatrixMulAdd,
]);

/**
 * A loop is hot when it goes over weights, cached tokens or activations, or multiplies what lies in registers and
 * workgroup memory: it is where a kernel spends its time. One that only finishes results, reading them from the buffer
 * it writes, is not.
 */
export const isHot = ({ loads, products }: Loop): boolean =>
  loads.length === 0 ? products > 0 : loads.some(({ readOnly }) => readOnly);

/** All loops of a module, in the order of their text. */
export function loopsOf(module: SpirvModule): Loop[] {
  const facts = factsOf(module.instructions);
  return module.instructions.flatMap((instruction, at) => {
    if (instruction.op !== Op.LoopMerge) return [];
    // Structured control flow: all blocks of a loop lie between its header and the label it merges at.
    const end = module.instructions.findIndex(
      ({ op, words }, i) => i > at && op === Op.Label && words[0] === instruction.words[0],
    );
    const own = module.instructions.slice(at, end);
    const all = [...own, ...called(own, facts.functions)];
    return [
      {
        guarded: own.some((each) => countsTurns(each, facts)),
        loads: all.flatMap((each) => loadOf(each, facts)),
        products: all.filter(({ op, words }) => PRODUCTS.has(op) || (op === Op.ExtInst && words[3] === FMA)).length,
        barriers: all.filter(({ op }) => op === Op.ControlBarrier).length,
        innermost: !all.some(({ op }, i) => op === Op.LoopMerge && i > 0),
        size: all.length,
      },
    ];
  });
}

interface Facts {
  /** By result id. */
  readonly results: ReadonlyMap<number, Instruction>;
  readonly bindings: ReadonlyMap<number, number>;
  readonly readOnly: ReadonlySet<number>;
  readonly functions: ReadonlyMap<number, readonly Instruction[]>;
  /** Variables that are set to all ones, as a guard's counter is. */
  readonly counters: ReadonlySet<number>;
}

/** Operations whose result is their first operand, having no type. */
const isType = (op: number): boolean => (op >= 19 && op <= 39) || op === 4456;

function factsOf(instructions: readonly Instruction[]): Facts {
  const results = new Map<number, Instruction>();
  const bindings = new Map<number, number>();
  const readOnly = new Set<number>();
  const functions = new Map<number, Instruction[]>();
  let open: Instruction[] | undefined;
  for (const each of instructions) {
    const { op, words } = each;
    if (isType(op)) results.set(words[0], each);
    else if (HAS_RESULT.has(op)) results.set(words[1], each);
    if (op === Op.Decorate && words[1] === BINDING) bindings.set(words[0], words[2]);
    if (op === Op.Decorate && words[1] === NON_WRITABLE) readOnly.add(words[0]);
    if (op === Op.Function) functions.set(words[1], (open = []));
    else if (op === Op.FunctionEnd) open = undefined;
    else open?.push(each);
  }
  const allOnes = (id: number): boolean => {
    const constant = results.get(id);
    if (constant?.op === Op.Constant) return constant.words[2] === 0xffffffff;
    return constant?.op === Op.ConstantComposite && [...constant.words.subarray(2)].every(allOnes);
  };
  const stores = instructions.filter(({ op, words }) => op === Op.Store && allOnes(words[1]));
  return { results, bindings, readOnly, functions, counters: new Set(stores.map(({ words }) => words[0])) };
}

const HAS_RESULT: ReadonlySet<number> = new Set([
  Op.Constant,
  Op.ConstantComposite,
  Op.ConstantNull,
  Op.Variable,
  Op.Load,
  Op.AccessChain,
  Op.InBoundsAccessChain,
]);

/** What functions called from instructions hold, and those called from them. */
function called(own: readonly Instruction[], functions: Facts['functions']): Instruction[] {
  return own.flatMap(({ op, words }) => {
    if (op !== Op.FunctionCall) return [];
    const body = functions.get(words[2]) ?? [];
    return [...body, ...called(body, functions)];
  });
}

/** Tint's guard: a counter of two words, counted down from all ones, is compared with zero. */
function countsTurns({ op, words }: Instruction, { results, counters }: Facts): boolean {
  if (op !== Op.IEqual) return false;
  const [, , left, right] = words;
  const loaded = results.get(left);
  return loaded?.op === Op.Load && counters.has(loaded.words[2]) && results.get(right)?.op === Op.ConstantNull;
}

function loadOf({ op, words }: Instruction, facts: Facts): StorageLoad[] {
  if (op !== Op.Load && op !== Op.MatrixLoad) return [];
  let root = facts.results.get(words[2]);
  while (root?.op === Op.AccessChain || root?.op === Op.InBoundsAccessChain) root = facts.results.get(root.words[2]);
  if (root?.op !== Op.Variable || root.words[2] !== STORAGE_BUFFER) return [];
  const bytes = op === Op.MatrixLoad ? 0 : sizeOf(words[0], facts.results);
  const [, variable] = root.words;
  return [{ binding: facts.bindings.get(variable) ?? -1, readOnly: facts.readOnly.has(variable), bytes }];
}

/** Bytes of a number, or of several together. */
function sizeOf(type: number, results: Facts['results']): number {
  const declared = results.get(type);
  switch (declared?.op) {
    case Op.TypeInt:
    case Op.TypeFloat:
      return declared.words[1] / 8;
    case Op.TypeVector:
      return declared.words[2] * sizeOf(declared.words[1], results);
    case Op.TypeArray:
      return results.get(declared.words[2])!.words[2] * sizeOf(declared.words[1], results);
    case Op.TypeStruct:
      return [...declared.words.subarray(1)].reduce((sum, member) => sum + sizeOf(member, results), 0);
    default:
      throw new Error(`a load of type ${type}, whose size is not known`);
  }
}
