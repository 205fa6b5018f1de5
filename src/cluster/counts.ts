/** What has become of transfers of keys and values. */
export class TransferCounts {
  transfers = 0;
  bytes = 0;
  /** Milliseconds that requests have waited for them. */
  waitedMs = 0;
  /** Transfers under way. */
  underWay = 0;
  /** Those that did not come whole, by why. */
  readonly fallbacks = new Map<string, number>();

  begin(): void {
    this.transfers++;
    this.underWay++;
  }

  end({
    bytes,
    ms,
    missing,
  }: {
    readonly bytes: number;
    readonly ms: number;
    readonly missing: string | undefined;
  }): void {
    this.underWay--;
    this.bytes += bytes;
    this.waitedMs += ms;
    if (missing !== undefined) this.fallbacks.set(missing, (this.fallbacks.get(missing) ?? 0) + 1);
  }
}
