import { RidgepointError } from '../../errors.js';
import {
  allReduceSeconds,
  allToAllSeconds,
  largeMessageSeconds,
  sendSeconds,
  type LargeMessages,
} from '../hardware/collectives.js';
import type { Hardware } from '../hardware/hardware.js';
import type { Model } from './models.js';

/** How chips share a model. */
export interface Layout {
  /** Chips that divide every layer among them. */
  readonly tensor: number;
  /** Groups of such chips that hold one stretch of layers each; a step visits them in turn. */
  readonly pipeline: number;
  /** Whole experts on each chip, which tokens are sent to and back, instead of a part of each expert. */
  readonly experts: boolean;
}

/** One kind of message of a step. */
export interface Messages {
  readonly name: 'all_reduce' | 'all_to_all' | 'send';
  readonly count: number;
  /** Of one. */
  readonly seconds: number;
}

/**
 * What chips send each other in a step of so many tokens: Megatron's two all-reduces a layer; with experts that are not
 * divided, two all-to-alls in place of the second (tokens to their experts and back, an equal share from every chip);
 * and between the stages of a pipeline the residual stream.
 *
 * @param activationBytes of one number
 */
export function messagesOf(
  tokens: number,
  { layers, hidden, routing }: Model,
  { tensor, pipeline, experts }: Layout,
  { link, largeMessages }: Pick<Hardware, 'link'> & { readonly largeMessages?: LargeMessages },
  activationBytes: number,
): Messages[] {
  if (link === undefined || tensor * pipeline === 1) return [];
  const bytes = tokens * hidden * activationBytes;
  const routed = experts && routing !== undefined ? routing.layers : 0;
  const sent = (bytes / tensor) * (routing?.active ?? 0);
  const reducing = allReduceSeconds(bytes, tensor, link) + largeMessageSeconds(bytes, tensor, largeMessages);
  const all: Messages[] = [
    { name: 'all_reduce', count: 2 * layers - routed, seconds: reducing },
    { name: 'all_to_all', count: 2 * routed, seconds: allToAllSeconds(sent, tensor, link) },
    { name: 'send', count: pipeline - 1, seconds: sendSeconds(bytes / tensor, link) },
  ];
  return all.filter(({ count, name }) => count > 0 && (tensor > 1 || name === 'send'));
}

/** @throws RidgepointError when chips cannot share the model so, or have no link to do so */
export function checkSplit({ tensor, pipeline, experts }: Layout, model: Model, hardware: Hardware): void {
  const refuse = (problem: string): never => {
    throw new RidgepointError('usage', problem);
  };
  if (tensor * pipeline > 1 && hardware.link === undefined) {
    const kind = pipeline === 1 ? 'tensor parallelism' : 'a model';
    refuse(
      `${hardware.name} has no link to others of its kind; ${kind} over ${tensor * pipeline} chips is not possible`,
    );
  }
  if (model.heads % tensor !== 0) {
    refuse(`${model.name} has ${model.heads} heads, which ${tensor} chips cannot share evenly`);
  }
  if (pipeline > model.layers) {
    refuse(`${model.name} has ${model.layers} layers, which ${pipeline} stages of a pipeline cannot share`);
  }
  if (experts && model.routing === undefined) {
    refuse(`${model.name} has no routed experts; leave out expert parallelism`);
  }
  if (experts && model.routing!.experts % tensor !== 0) {
    refuse(`${model.name} has ${model.routing!.experts} experts, which ${tensor} chips cannot share evenly`);
  }
}
