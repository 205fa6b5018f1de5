import { describe, expect, it } from 'vitest';
import type { GenerateOptions } from '../../src/engine/api.js';
import { openTextModel } from '../../src/engine/text-model.js';
import { RouterEngine } from '../../src/cluster/router-engine.js';
import type { RunKey, RunRequest } from '../../src/cluster/run-request.js';
import type { WorkerHello, WorkerLink, WorkerReport } from '../../src/cluster/worker-link.js';
import { Workers } from '../../src/cluster/workers.js';
import { layoutOfConfig } from '../../src/engine/text-layout.js';
import { nodeHost } from '../../src/platform/node/host.js';
import { tinyFolder } from '../engine/support.js';

const INFO = { contextLength: 128, kvCacheTokens: 512, kvCacheBytes: 512 * 128, prefillChunk: 64, adapter: 'none' };
const layout = layoutOfConfig((await openTextModel({ model: tinyFolder() }, nodeHost)).config);
const LAYOUT = { ...layout, checkpoint: 'c', kvDtype: 'f32' };
const GREEDY: GenerateOptions = { temperature: 0, ignoreEos: true, maxTokens: 6 };

/** A worker that says what a test has it say. */
class Link implements WorkerLink {
  readonly address;
  #steps = 0;
  /** Whether its engine makes steps. */
  steps = true;
  readonly asked: { readonly request: RunRequest; readonly from: number }[] = [];
  readonly released: (RunKey & { readonly isWhole: boolean })[] = [];
  worker: WorkerHello | undefined;

  constructor(
    readonly name: string,
    more: { info?: object; layout?: object; role?: WorkerHello['role'] } = {},
  ) {
    this.address = { host: name, port: 1 };
    const { info, layout, role = 'decode' } = more;
    const hello = { role, epoch: 'e', layout: { ...LAYOUT, ...layout }, info: { ...INFO, ...info }, numerics: {} };
    this.worker = hello as unknown as WorkerHello;
  }

  get report(): WorkerReport {
    if (this.steps) this.#steps++;
    return { stats: { steps: this.#steps } } as unknown as WorkerReport;
  }

  run(request: RunRequest, from: number): void {
    this.asked.push({ request, from });
  }

  release({ id, attempt }: RunKey, isWhole: boolean): void {
    this.released.push({ id, attempt, isWhole });
  }

  close(): void {}

  get last(): { readonly request: RunRequest; readonly from: number } {
    return this.asked.at(-1)!;
  }
}

const model = tinyFolder();

const route = (...links: Link[]): Promise<RouterEngine> => routeWithin(60_000, ...links);

async function routeWithin(silenceMs: number, ...links: Link[]): Promise<RouterEngine> {
  const { config, tokenizer, chatText, eosIds, generation, timings } = await openTextModel({ model }, nodeHost);
  const workers = new Workers({ ...layoutOfConfig(config), checkpoints: ['c', 'synthetic'] });
  for (const link of links) expect(workers.admit(link)).toBeUndefined();
  workers.promised = INFO;
  return new RouterEngine({
    ...{ host: nodeHost, config, tokenizer, chatText, eosIds, timings, workers, placement: 'round-robin', silenceMs },
    generationDefaults: generation,
    info: links[0].worker!.info,
    close: () => undefined,
  });
}

const say = (
  router: RouterEngine,
  link: Link,
  index: number,
  ids: readonly number[],
  key: RunKey = link.last.request,
): void => router.tokens(link, key, index, { tokens: ids.map((id) => ({ id })) });

describe('a router, whatever its workers say', () => {
  it('asks for what is missing in between, and takes what comes twice once', async () => {
    const link = new Link('a');
    const router = await route(link);
    const { result } = router.generate([5, 6, 7], GREEDY);
    expect(link.last).toMatchObject({ from: 0, request: { attempt: 1, prompt: [5, 6, 7], resume: [] } });
    say(router, link, 0, [10, 11]);
    say(router, link, 0, [10, 11]);
    say(router, link, 3, [13]);
    expect(link.asked.map(({ from }) => from)).toEqual([0, 2]);
    expect(link.last.request).toMatchObject({ attempt: 1, resume: [10, 11] });
    say(router, link, 1, [11, 12, 13, 14]);
    router.ended(link, link.last.request, 6);
    expect(link.last.from).toBe(5);
    say(router, link, 5, [15]);
    expect((await result).ids).toEqual([10, 11, 12, 13, 14, 15]);
    expect(link.released).toEqual([expect.objectContaining({ attempt: 1, isWhole: true })]);
    expect(router.counts).toMatchObject({ gaps: 2, attempts: 1 });
  });

  it('goes on elsewhere from the ids that are there, and drops what the first one still says', async () => {
    const [a, b] = [new Link('a'), new Link('b')];
    const router = await route(a, b);
    const { result } = router.generate([5], GREEDY);
    const first = a.last.request;
    say(router, a, 0, [10, 11]);
    router.gone(a);
    expect(b.last).toMatchObject({ from: 2, request: { id: first.id, attempt: 2, resume: [10, 11] } });
    say(router, a, 2, [66, 67, 68, 69], first);
    expect(a.released).toEqual([{ id: first.id, attempt: 1, isWhole: false }]);
    router.failed(a, first, { reason: 'late' });
    say(router, b, 2, [12, 13]);
    router.failed(b, b.last.request, { reason: 'the device was lost' });
    expect(a.last, 'both have lost it').toMatchObject({ from: 4, request: { attempt: 3 } });
    router.ended(a, a.last.request, 4);
    say(router, b, 4, [14, 15]);
    const { ids, route: way } = await result;
    expect(ids).toEqual([10, 11, 12, 13, 14, 15]);
    expect(way).toMatchObject({ decodeWorker: 'b', attempts: 4 });
    expect([...router.counts.lost]).toEqual([
      ['gone', 1],
      ['failed', 1],
      ['ended early', 1],
    ]);
  });

  it('goes on elsewhere when nothing comes of a run and its worker makes no step, and comes back to it when it does', async () => {
    const [a, b] = [new Link('a'), new Link('b')];
    const router = await routeWithin(20, a, b);
    const { result } = router.generate([5], GREEDY);
    say(router, a, 0, [10]);
    const first = a.last.request;
    // As long as its engine makes steps it is busy with others.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(b.asked).toEqual([]);
    a.steps = false;
    await expect.poll(() => b.asked.length, { interval: 5 }).toBe(1);
    expect(a.released).toEqual([{ id: first.id, attempt: 1, isWhole: false }]);
    expect(b.last).toMatchObject({ from: 1, request: { attempt: 2, resume: [10] } });
    say(router, b, 1, [11, 12, 13, 14, 15]);
    expect((await result).ids).toEqual([10, 11, 12, 13, 14, 15]);
    expect([...router.counts.lost]).toEqual([['silent', 1]]);
    for (const times of [1, 2]) {
      router.generate([5], GREEDY);
      expect(b.asked).toHaveLength(1 + times);
    }
    a.steps = true;
    const tries = (): number => {
      router.generate([5], GREEDY);
      return a.asked.length;
    };
    await expect.poll(tries).toBeGreaterThan(1);
    await router.dispose();
  });

  it('has workers that may do either do one phase each, and one alone both', async () => {
    const [a, b] = [new Link('a', { role: 'auto' }), new Link('b', { role: 'auto' })];
    const router = await routeWithin(20, a, b);
    await expect.poll(() => router.counts.moves).toBe(2);
    const long = Array.from({ length: 40 }, (_, at) => 3 + at);
    const { result } = router.generate(long, GREEDY);
    expect(a.last.request.prefill).toEqual(b.address);
    expect(b.asked).toEqual([]);
    a.worker = undefined;
    router.gone(a);
    expect(b.last.request, 'nobody else is there').toMatchObject({ attempt: 2, prefill: undefined });
    await expect.poll(() => router.counts.moves).toBe(3);
    say(router, b, 0, [10, 11, 12, 13, 14, 15]);
    expect((await result).route).toMatchObject({ decodeWorker: 'b', attempts: 2 });
    await router.dispose();
  });

  it('asks who is back from where it is, under the same attempt', async () => {
    const link = new Link('a');
    const router = await route(link);
    const { result } = router.generate([5], GREEDY);
    say(router, link, 0, [10]);
    router.cameBack(link);
    expect(link.last).toMatchObject({ from: 1, request: { attempt: 1, resume: [10] } });
    say(router, link, 1, [11, 12, 13, 14, 15]);
    expect((await result).route!.attempts).toBe(1);
  });

  it('tells a client what is wrong with a request, and asks nobody else', async () => {
    const [a, b] = [new Link('a'), new Link('b')];
    const router = await route(a, b);
    const { result } = router.generate([5], GREEDY);
    router.failed(a, a.last.request, { reason: 'no text fits', final: true });
    await expect(result).rejects.toThrow('no text fits');
    expect(b.asked).toEqual([]);
    const own = { allowed: () => new Uint32Array(2), accept: () => undefined };
    expect(() => router.generate([5], { constraint: own })).toThrow('a constraint without a description');
  });

  it('sends all that chooses tokens, with what is infinite as far as it matters, and no stop strings', async () => {
    const link = new Link('a');
    const router = await route(link);
    router.generate([5], {
      ...GREEDY,
      temperature: 0.5,
      seed: 3,
      stopIds: [9],
      logitBias: { 4: -Infinity },
      priority: 2,
    });
    const { options } = JSON.parse(JSON.stringify(link.last.request)) as RunRequest;
    expect(options).toEqual({
      ...{ temperature: 0.5, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, presencePenalty: 0, frequencyPenalty: 0 },
      ...{ logitBias: { 4: -1e30 }, seed: 3, maxTokens: 6, ignoreEos: true, stopIds: [9], priority: 2 },
    });
    await router.dispose();
    expect(link.released).toHaveLength(1);
  });

  it.each<[string, { info?: object; layout?: object; role?: WorkerHello['role'] }]>([
    ['another number of layers (2 here, 3 there)', { layout: { layers: 3 } }],
    [`another head dimension (${layout.headDim} here, 64 there)`, { layout: { headDim: 64 } }],
    [`another rotary embedding (${layout.rope} here, 1 there)`, { layout: { rope: '1' } }],
    ['another format of keys and values (f32 here, int8 there)', { layout: { kvDtype: 'int8' } }],
    ['another checkpoint (c here, d there)', { layout: { checkpoint: 'd' } }],
    ['a context of 64 tokens, and 128 are promised to clients', { info: { contextLength: 64 } }],
    ['a cache of 256 tokens, and 512 are promised to clients', { info: { kvCacheTokens: 256 } }],
  ])('refuses a worker by name: %s', async (problem, more) => {
    const router = await route(new Link('a'));
    expect(router.came(new Link('b', more))).toBe(problem);
    expect(router.came(new Link('c', { role: 'prefill', info: { contextLength: 64 } }))).toBeUndefined();
  });
});
