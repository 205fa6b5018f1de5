import { expect } from 'vitest';
import type { EngineOptions, GenerateOptions } from '../../src/engine/api.js';
import { PairedEngine } from '../../src/cluster/embedded.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { startEngine } from '../../src/engine/start.js';
import { nodeHost } from '../../src/platform/node/host.js';
import type { WorkerPort } from '../../src/platform/node/wire/port.js';

/** Three engines of one model: one alone, and a pair. */
export class Trio {
  private constructor(
    readonly alone: CoreEngine,
    readonly prefill: CoreEngine,
    readonly pair: PairedEngine,
  ) {}

  /** @param options.prefill,options.decode what only that engine has */
  static async load(
    adapter: string,
    common: EngineOptions,
    { prefill = {}, decode = {} }: { prefill?: EngineOptions; decode?: EngineOptions } = {},
  ): Promise<Trio> {
    const load = (own: EngineOptions): Promise<CoreEngine> => startEngine({ adapter, ...common, ...own }, nodeHost);
    const [alone, first, second] = await Promise.all([load({ prefixCaching: false }), load(prefill), load(decode)]);
    return new Trio(alone, first, await PairedEngine.create(first, second));
  }

  /** Checks that the pair gives the ids that one engine gives. @returns those and what was found in the cache */
  async same(prompt: readonly number[], options: GenerateOptions): Promise<{ ids: readonly number[]; cached: number }> {
    const expected = await this.alone.generate(prompt, options).result;
    const found = await this.pair.generate(prompt, options).result;
    expect(found.ids).toEqual(expected.ids);
    return { ids: found.ids, cached: found.cachedTokens };
  }

  /** Checks that nothing is held any more. */
  clean(): void {
    for (const { scheduler, kv } of [this.prefill, this.pair.decode].map((engine) => partsOf(engine))) {
      expect([scheduler.waiting, scheduler.running, kv.reserved.count]).toEqual([0, 0, 0]);
    }
    for (const engine of [this.prefill, this.pair.decode]) {
      const { kvBlocks, kvBlocksFree } = engine.stats();
      expect(kvBlocksFree).toBe(kvBlocks);
    }
  }

  async dispose(): Promise<void> {
    await this.alone.dispose();
    await this.pair.dispose();
  }
}

function partsOf(engine: CoreEngine) {
  return { scheduler: engine.stats(), kv: engine.kv };
}

/** Has a worker listen on this machine. @returns its port */
export async function portOf(worker: WorkerPort, port = 0): Promise<number> {
  const at = await worker.listen({ host: '127.0.0.1', port });
  if ('path' in at) throw new Error('a path is no port');
  return at.port;
}
