import type { AnswerInHand } from '../kept-requests.js';

/** The ids of an answer and of its parts; those of a kept request are the same whoever answers it. */
export class AnswerIds {
  /** A UUID. */
  readonly uuid: string;

  constructor(kept?: Pick<AnswerInHand, 'answerId'>) {
    this.uuid = kept?.answerId ?? crypto.randomUUID();
  }

  /** 32 hexadecimal digits. */
  get hex(): string {
    return this.uuid.replaceAll('-', '');
  }

  /** As many of a part, which differ from those of the answer in the first eight. @param part its number, from 0 */
  part(part: number): string {
    const { hex } = this;
    const first = (parseInt(hex.slice(0, 8), 16) ^ (part + 1)) >>> 0;
    return first.toString(16).padStart(8, '0') + hex.slice(8);
  }

  /** The id of a call of a tool. @param part the number of a part that nothing else has */
  call(part: number): string {
    return `call_${this.part(part).slice(0, 24)}`;
  }
}
