/** Numbers of the SPIR-V specification, of what is looked at here. */
export const Op = {
  Extension: 10,
  ExtInst: 12,
  ExecutionMode: 16,
  Capability: 17,
  TypeInt: 21,
  TypeFloat: 22,
  TypeVector: 23,
  TypeArray: 28,
  TypeStruct: 30,
  TypePointer: 32,
  Constant: 43,
  ConstantComposite: 44,
  ConstantNull: 46,
  Function: 54,
  FunctionEnd: 56,
  FunctionCall: 57,
  Variable: 59,
  Load: 61,
  Store: 62,
  AccessChain: 65,
  InBoundsAccessChain: 66,
  Decorate: 71,
  FMul: 133,
  VectorTimesScalar: 142,
  DotProduct: 148,
  IEqual: 170,
  ControlBarrier: 224,
  LoopMerge: 246,
  Label: 248,
  SDot: 4450,
  UDot: 4451,
  MatrixLoad: 4457,
  MatrixMulAdd: 4459,
} as const;

/** Capabilities a module may declare. */
export const Capability = {
  float16: 9,
  groupArithmetic: 63,
  groupShuffle: 65,
  cooperativeMatrix: 6022,
} as const;

export interface Instruction {
  readonly op: number;
  /** Operands, a result's type and id among them. */
  readonly words: Uint32Array;
}

/** A shader module as a driver gets it. */
export interface SpirvModule {
  readonly binary: Uint8Array;
  readonly capabilities: ReadonlySet<number>;
  readonly instructions: readonly Instruction[];
}

const MAGIC = 0x07230203;

/** @throws Error where the bytes are no SPIR-V of this machine's byte order */
export function parseModule(binary: Uint8Array): SpirvModule {
  const code = new Uint32Array(binary.slice().buffer);
  if (code[0] !== MAGIC) throw new Error('this is no SPIR-V');
  const instructions: Instruction[] = [];
  for (let at = 5; at < code.length;) {
    const words = code[at] >>> 16;
    if (words === 0 || at + words > code.length) throw new Error(`SPIR-V is cut short at word ${at}`);
    instructions.push({ op: code[at] & 0xffff, words: code.subarray(at + 1, at + words) });
    at += words;
  }
  const capabilities = instructions.filter(({ op }) => op === Op.Capability).map(({ words }) => words[0]);
  return { binary, capabilities: new Set(capabilities), instructions };
}
