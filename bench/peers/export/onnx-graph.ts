import { Message } from './protobuf.js';

/** Element types of ONNX. */
export const TYPE = { f32: 1, i32: 6, i64: 7, f16: 10 } as const;
export type ElementType = keyof typeof TYPE;

type Attribute = number | { readonly float: number };

/** Field numbers of onnx.proto3 stand in the calls; https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 */
export class OnnxGraph {
  readonly #graph = new Message();
  readonly #names = new Set<string>();
  #external = 0;
  readonly #dataFile: string;

  /** @param dataFile name of the file beside the model that holds the large tensors */
  constructor(dataFile: string) {
    this.#dataFile = dataFile;
  }

  /** A dimension given by name is free. */
  input(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#graph.message(11, valueInfo(name, type, shape));
    return name;
  }

  output(name: string, type: ElementType, shape: readonly (number | string)[]): string {
    this.#graph.message(12, valueInfo(name, type, shape));
    return name;
  }

  /** A small tensor inside the model's file. */
  constant(name: string, type: ElementType, shape: readonly number[], data: Uint8Array): string {
    this.#graph.message(5, tensor(name, type, shape).bytes(9, data));
    return name;
  }

  /** A tensor in the data file, after all declared before; its bytes must be written there in the same order. */
  external(name: string, type: ElementType, shape: readonly number[], length: number): string {
    const message = tensor(name, type, shape).int(14, 1);
    for (const [key, value] of [
      ['location', this.#dataFile],
      ['offset', String(this.#external)],
      ['length', String(length)],
    ]) {
      message.message(13, new Message().string(1, key).string(2, value));
    }
    this.#external += length;
    this.#graph.message(5, message);
    return name;
  }

  /**
   * Adds an operation.
   *
   * @param outputs its outputs' names; an empty name is an output nobody wants
   * @returns the first output
   */
  node(
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
    domain = '',
  ): string {
    const message = new Message();
    for (const name of inputs) message.string(1, name);
    for (const name of outputs) {
      if (name !== '' && this.#names.size === this.#names.add(name).size) throw new Error(`${name} is made twice`);
      message.string(2, name);
    }
    message.string(3, `${outputs[0]}/${op}`).string(4, op);
    for (const [name, value] of Object.entries(attributes)) {
      const attribute = new Message().string(1, name);
      if (typeof value === 'number') attribute.int(3, value).int(20, 2);
      else attribute.float(2, value.float).int(20, 1);
      message.message(5, attribute);
    }
    if (domain !== '') message.string(7, domain);
    this.#graph.message(1, message);
    return outputs[0];
  }

  /** The model's file. */
  encode(name: string): Uint8Array {
    const IR_VERSION = 9;
    const OPSET = 20;
    return new Message()
      .int(1, IR_VERSION)
      .string(2, 'ridgepoint')
      .message(7, this.#graph.string(2, name))
      .message(8, new Message().string(1, '').int(2, OPSET))
      .message(8, new Message().string(1, 'com.microsoft').int(2, 1))
      .encode();
  }
}

function tensor(name: string, type: ElementType, shape: readonly number[]): Message {
  const message = new Message();
  for (const extent of shape) message.int(1, extent);
  return message.int(2, TYPE[type]).string(8, name);
}

function valueInfo(name: string, type: ElementType, shape: readonly (number | string)[]): Message {
  const dims = new Message();
  for (const extent of shape) {
    const dim = new Message();
    dims.message(1, typeof extent === 'number' ? dim.int(1, extent) : dim.string(2, extent));
  }
  const tensorType = new Message().int(1, TYPE[type]).message(2, dims);
  return new Message().string(1, name).message(2, new Message().message(1, tensorType));
}
