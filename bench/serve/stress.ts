import type { ServeRun } from './runs.js';
import type { CacheStats } from './targets/target.js';

/** Memory of this process when a share of the requests had ended. */
export interface MemorySample {
  /** Requests that had ended. */
  readonly done: number;
  /** Resident bytes, after a garbage collection. */
  readonly rss: number;
  readonly heapUsed: number;
}

/** One thing that must hold after a stress run. */
export interface Check {
  readonly name: string;
  readonly passed: boolean;
  readonly found: string;
}

/** Growth between the halves of the requests after the first quarter that still counts as flat. */
const GROWTH_SHARE = 0.05;
const GROWTH_BYTES = 16 * 2 ** 20;

/**
 * What must hold after load with aborts: every request has come to its end and is accounted for, none was failed by the
 * engine, the cache is empty again, and memory did not grow once the engine was warm.
 *
 * @param before what the engine told before the load, and `after` it; undefined where it does not tell
 * @param exact whether tokens arrive as the engine counts them
 */
export function stressChecks(
  { record }: ServeRun,
  before: CacheStats | undefined,
  after: CacheStats | undefined,
  memory: readonly MemorySample[],
  exact: boolean,
): Check[] {
  const of = (status: string): number => record.requests.filter((request) => request.status === status).length;
  const [completed, aborted, failed, interrupted] = ['completed', 'aborted', 'failed', 'interrupted'].map(of);
  const distinct = new Set(record.requests.map(({ index }) => index)).size;
  const checks: Check[] = [
    {
      name: 'every request accounted for',
      passed: distinct === record.planned && completed + aborted + failed === record.planned,
      found: `${record.planned} planned: ${completed} completed, ${aborted} aborted, ${failed} failed, ${record.planned - completed - aborted - failed} missing${interrupted > 0 ? ` (${interrupted} interrupted)` : ''}`,
    },
    {
      name: 'no request failed',
      passed: failed === 0,
      found: failed === 0 ? 'none' : `${failed}; the first: ${firstError(record.requests)}`,
    },
  ];
  if (exact) checks.push({ name: 'no token lost', ...lost(record.requests) });
  if (before !== undefined && after !== undefined) {
    checks.push({
      name: 'all cache blocks free',
      passed: after.kvBlocksFree === after.kvBlocks,
      found: `${after.kvBlocksFree} of ${after.kvBlocks} (${before.kvBlocksFree} before), ${after.preemptions} preemptions`,
    });
  }
  if (memory.length > 0) checks.push(memoryCheck(memory, record.planned));
  return checks;
}

const firstError = (requests: ServeRun['record']['requests']): string =>
  requests.find(({ status }) => status === 'failed')?.error ?? 'unknown';

/** Tokens that the engine counted arrived one and all; a server may send several in a piece, so it is not asked. */
function lost(requests: ServeRun['record']['requests']): Omit<Check, 'name'> {
  const completed = requests.filter(({ status }) => status === 'completed');
  const received = ({ counts }: (typeof completed)[number]): number => counts.reduce((sum, count) => sum + count, 0);
  const short = completed.filter((request) => received(request) !== request.outputTokens);
  const tokens = completed.reduce((sum, request) => sum + received(request), 0);
  return { passed: short.length === 0, found: `${tokens} tokens received, ${short.length} answers with some missing` };
}

/**
 * Compares the lowest samples of the two halves of what follows the first quarter: a leak raises the lowest too, what
 * allocators keep for a while does not. What JavaScript holds is shown beside it, the records of requests among it.
 */
function memoryCheck(memory: readonly MemorySample[], planned: number): Check {
  const warm = memory.filter(({ done }) => done >= planned / 4);
  const middle = (5 * planned) / 8;
  const lowest = (samples: readonly MemorySample[]): number => Math.min(...samples.map(({ rss }) => rss));
  const early = lowest(warm.filter(({ done }) => done < middle));
  const late = lowest(warm.filter(({ done }) => done >= middle));
  const growth = late - early;
  const allowed = Math.max(GROWTH_BYTES, GROWTH_SHARE * early);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const list = (of: (sample: MemorySample) => number): string => memory.map((sample) => mib(of(sample))).join(', ');
  return {
    name: 'memory flat',
    passed: growth <= allowed,
    found:
      `resident ${list(({ rss }) => rss)} MiB after ${memory.map(({ done }) => done).join(', ')} requests, ` +
      `of it JavaScript's ${list(({ heapUsed }) => heapUsed)}; lowest of each half after the first quarter ` +
      `${mib(early)} and ${mib(late)} MiB, ${mib(allowed)} more allowed`,
  };
}

export const checksText = (checks: readonly Check[]): string =>
  `${checks.map(({ name, passed, found }) => `${passed ? 'ok    ' : 'FAILED'}  ${name}: ${found}`).join('\n')}\n`;
