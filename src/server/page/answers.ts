/** What was measured and expected of a choice, as the page is sent it. */
export interface PageTimes {
  readonly ttft_ms: number | null;
  readonly itl_ms: number | null;
  readonly tokens: number;
  readonly prompt_tokens: number;
  readonly predicted: { readonly ttft_ms: number | null; readonly itl_ms: number | null } | null;
}

/** `/v1/status`. */
export interface PageStatus {
  readonly model: string;
  readonly adapter: string;
  readonly driver: string;
  readonly dtype: string;
  readonly chat: boolean;
  readonly running: number;
  readonly waiting: number;
  readonly kv_blocks: number;
  readonly kv_blocks_free: number;
  readonly price_from?: string | null;
  readonly pace?: number;
  readonly roof?: { readonly bytes_per_second: number; readonly flops_per_second: number } | null;
  readonly work?: { readonly flops: number; readonly bytes: number; readonly ms: number } | null;
  readonly steps?: readonly { ms: number; expected_ms: number | null; rows: number; prompt_tokens: number }[];
  readonly requests?: readonly { id: string; state: string; choices: readonly PageTimes[] }[];
}

/** `/v1/requests/ID`. */
export interface PageRequest {
  readonly id: string;
  readonly choices: readonly {
    readonly whole_ms?: number;
    readonly spent?: Record<string, number>;
    readonly replayed?: { readonly e2e_ms: number | null };
    readonly alone?: { readonly e2e_ms: number | null };
    readonly neighbours?: readonly { request: string | null; cost_ms: number; without: { e2e_ms: number | null } }[];
  }[];
}
