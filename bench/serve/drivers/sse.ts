/**
 * Takes server-sent events apart (HTML standard, section 9.2): yields the data of each event as bytes come. Characters
 * and lines may be cut anywhere. Comments and fields other than data are passed over.
 */
export class EventParser {
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: false });
  #rest = '';
  #data: string[] = [];

  push(bytes: Uint8Array): string[] {
    this.#rest += this.#decoder.decode(bytes, { stream: true });
    const events: string[] = [];
    for (;;) {
      const end = /\r\n|\n|\r(?!$)/.exec(this.#rest);
      if (end === null) return events;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (line !== '') this.#field(line);
      else if (this.#data.length > 0) events.push(this.#data.splice(0).join('\n'));
    }
  }

  #field(line: string): void {
    const match = /^data(?:: ?(.*))?$/s.exec(line);
    if (match !== null) this.#data.push(match[1] ?? '');
  }
}
