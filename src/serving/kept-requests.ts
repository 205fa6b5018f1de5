import type { ChatMessage } from '../engine/api.js';

/** A conversation that a request goes on from, known to whoever answered it. */
export interface KeptConversation {
  /** Of the response that ends it. */
  readonly id: string;
  readonly messages: readonly ChatMessage[];
}

/** A request as it is filed: all that its answer depends on, and what the answer is called. */
export interface KeptRequest {
  readonly path: string;
  /** As it came, for an answer in one piece, with a seed. */
  readonly body: object;
  /** A UUID that all ids of the answer are made of. */
  readonly answerId: string;
  /** When it came, in seconds since 1970. */
  readonly created: number;
  /** What a body's `previous_response_id` names. */
  readonly previous?: KeptConversation;
}

/** Where accepted requests are kept, so that they outlive this process. */
export interface KeptRequests {
  /**
   * @returns whether it is new
   * @throws RidgepointError (`usage`) where it is too large to be kept
   * @throws Error where it cannot be kept at present
   */
  accept(id: string, request: KeptRequest): Promise<boolean>;
  /** Takes note of ids that a choice has got, beyond those before. */
  got(id: string, choice: number, ids: readonly number[]): void;
  /** Its client has its answer, or has left. */
  done(id: string): Promise<void>;
}

/** An answer that others may have begun, or may have to go on with. */
export interface AnswerInHand extends Pick<KeptRequest, 'answerId' | 'created' | 'previous'> {
  /** Ids that a choice has already. */
  resume(choice: number): readonly number[];
  /** Takes note of ids that a choice has got, beyond those before. */
  got(choice: number, ids: readonly number[]): void;
}
