import { heldBack, joined, type ReplyEvent, type ReplyReader, WHITE } from './events.js';

/** A state's look at what has come: whether it got on, or waits for more. */
export type Step = () => boolean;

/** A reader that looks at a growing text from states, each of which takes what it understands off its beginning. */
export abstract class BufferedReader implements ReplyReader {
  protected buffer = '';
  protected events: ReplyEvent[] = [];
  /** Whether nothing follows. */
  protected ended = false;
  protected abstract step: Step;

  push(text: string): ReplyEvent[] {
    this.buffer += text;
    while (this.step());
    const { events } = this;
    this.events = [];
    return joined(events);
  }

  end(): ReplyEvent[] {
    this.ended = true;
    const events = this.push('');
    if (this.buffer === '') return events;
    const rest = this.buffer;
    this.buffer = '';
    return joined([...events, ...this.rest(rest)]);
  }

  /** What is left at the end. */
  protected rest(text: string): ReplyEvent[] {
    return [{ kind: 'text', text }];
  }

  protected text(text: string): void {
    this.events.push({ kind: 'text', text });
  }

  /** Tells of text up to a marker; true where the marker is there, and taken. */
  protected upTo(marker: string): boolean {
    const at = this.buffer.indexOf(marker);
    if (at >= 0) {
      this.text(this.take(at));
      this.take(marker.length);
      return true;
    }
    const held = this.ended ? 0 : heldBack(this.buffer, marker);
    if (this.buffer.length > held) this.text(this.take(this.buffer.length - held));
    return false;
  }

  /** Whether the text begins with a marker; undefined while it may yet. */
  protected begins(marker: string): boolean | undefined {
    if (this.buffer.startsWith(marker)) return true;
    return !this.ended && marker.startsWith(this.buffer) ? undefined : false;
  }

  /**
   * Takes what closes a call, and white space before it, neither of which is said, nor is a part of it at the end of all.
   *
   * @returns whether that is done; more has to come before one can tell
   */
  protected takeClosing(marker: string): boolean {
    this.skipWhite();
    const closes = this.begins(marker);
    if (closes === undefined) return false;
    if (this.ended && marker.startsWith(this.buffer)) this.buffer = '';
    else if (closes) this.take(marker.length);
    return true;
  }

  protected take(length: number): string {
    if (length === this.buffer.length) {
      const all = this.buffer;
      this.buffer = '';
      return all;
    }
    const taken = this.buffer.slice(0, length);
    this.buffer = this.buffer.slice(length);
    return taken;
  }

  protected skipWhite(): void {
    this.take(WHITE.exec(this.buffer)![0].length);
  }
}
