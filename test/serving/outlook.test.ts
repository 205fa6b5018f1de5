import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { explainRequest } from '../../src/cli/commands/explain/run.js';
import type { ScheduleWatcher } from '../../src/scheduler/moment.js';
import type { StepPlan } from '../../src/scheduler/step-plan.js';
import type { StepLoad } from '../../src/scheduler/step-load.js';
import type { CoreEngine } from '../../src/engine/engine.js';
import { loadReal } from './real.js';
import { events, post, start } from './support.js';
import { isFull } from '../support/scale.js';

/** What the command "explain" prints. */
const printed = vi.hoisted(() => [] as string[]);
vi.mock('../../src/cli/terminal/output.js', async (original) => ({
  ...(await original<object>()),
  print: (text: string) => printed.push(text),
}));

interface Timings {
  readonly queue_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  readonly ttft_ms: number;
  readonly itl_ms: number;
  readonly tokens: number;
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly predicted: { readonly ttft_ms: number; readonly itl_ms: number; readonly from: string } | null;
}
interface Timed {
  readonly id: string;
  readonly choices: readonly { readonly timings?: Timings | null }[];
}
interface Told {
  readonly state: string;
  readonly choices: readonly {
    readonly whole_ms: number;
    readonly spent: Record<string, number>;
    readonly replayed: { readonly e2e_ms: number };
    readonly alone: { readonly e2e_ms: number };
    readonly without: { readonly e2e_ms: number };
    readonly neighbours: readonly { readonly request: string; readonly without: { readonly e2e_ms: number } }[];
  }[];
}

/** A constant step, so that what is predicted is known. */
const STEP_MS = 50;
const machine = { price: { seconds: () => STEP_MS / 1000 } };
const body = { prompt: 'Once upon a time', max_tokens: 6, ignore_eos: true, temperature: 0 };

/** The engine, but for these of its members. */
const but = (engine: CoreEngine, other: Partial<CoreEngine>): CoreEngine =>
  new Proxy(engine, {
    get(target, key) {
      const value = Reflect.get(key in other ? other : target, key) as unknown;
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

describe('what a server expects of a real engine', () => {
  let engine: CoreEngine;
  beforeAll(async () => {
    engine = await loadReal();
  });
  afterAll(() => engine.dispose());

  const get = async (url: string): Promise<Told> => (await (await fetch(url)).json()) as Told;

  it('is in an answer that asks for timings, and only there', async () => {
    const { url } = await start(engine, { machine });
    const plain = (await post(`${url}/v1/completions`, body)).body as unknown as Timed;
    expect(plain.choices[0]).not.toHaveProperty('timings');
    const timed = (await post(`${url}/v1/completions`, { ...body, timings: true })).body as unknown as Timed;
    const timings = timed.choices[0].timings!;
    expect(timings).toMatchObject({ tokens: 6, predicted: { from: 'calibration', itl_ms: STEP_MS } });
    expect(timings.prompt_tokens).toBe(engine.tokenize(body.prompt).length);
    // One step for the prompt, and what it had waited by then.
    expect(timings.predicted!.ttft_ms).toBeGreaterThan(STEP_MS);
    expect(timings.queue_ms + timings.prefill_ms).toBeCloseTo(timings.ttft_ms, 2);
    expect(timings.itl_ms).toBeCloseTo(timings.decode_ms / 5, 2);
  });

  it('costs those who do not ask a small share of the time', async () => {
    let looks = 0;
    const scheduling = {
      ...engine.scheduling,
      moment: () => {
        looks++;
        for (const end = performance.now() + 100; performance.now() < end;); // a look ahead that takes its time
        return engine.scheduling.moment();
      },
    };
    const watched = but(engine, { scheduling });
    const { url } = await start(watched, { machine });
    const prompt = Array<string>(20).fill('Once');
    await post(`${url}/v1/completions`, { ...body, prompt, max_tokens: 1 });
    expect(looks).toBe(1);
    await post(`${url}/v1/completions`, { ...body, prompt, max_tokens: 1, timings: true });
    expect(looks).toBe(1 + 8);
  });

  it('is in the last event of each choice of a stream', async () => {
    const { url } = await start(engine, { machine });
    const response = await fetch(`${url}/v1/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...body, n: 2, stream: true, timings: true }),
    });
    const all = (await events(response)).slice(0, -1).map((event) => JSON.parse(event) as Timed);
    const timed = all.filter(({ choices }) => choices[0].timings !== undefined);
    expect(timed.map(({ choices }) => choices[0].timings!.tokens)).toEqual([6, 6]);
  });

  it('is in the words of every API, whole and streamed', async () => {
    const { url } = await start(engine, { machine });
    const messages = [{ role: 'user', content: 'Once upon a time' }];
    const asked: readonly (readonly [string, object])[] = [
      ['chat/completions', { messages, max_tokens: 6, ignore_eos: true }],
      ['responses', { input: 'Once upon a time', max_output_tokens: 6, ignore_eos: true }],
      ['messages', { messages, max_tokens: 6, ignore_eos: true }],
    ];
    const expected = { tokens: 6, predicted: { itl_ms: STEP_MS } };
    // Beside the choice, where there are any, and else beside the answer.
    const timingsIn = (answer: object): unknown => ('choices' in answer ? (answer as Timed).choices[0] : answer);
    for (const [path, request] of asked) {
      const { body: whole } = await post(`${url}/v1/${path}`, { ...request, timings: true });
      expect(timingsIn(whole), path).toMatchObject({ timings: expected });
      const response = await fetch(`${url}/v1/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...request, stream: true, timings: true }),
      });
      const told = [...(await response.text()).matchAll(/^data: (.*"timings".*)$/gm)].map(([, text]) => text);
      expect(told.length, path).toBeGreaterThan(0);
      expect(timingsIn(JSON.parse(told.at(-1)!) as object), path).toMatchObject({ timings: expected });
    }
  });

  it('comes from the steps that have run where there is no calibration, once there were some', async () => {
    const { url } = await start(engine);
    const ask = async (): Promise<Timings> =>
      ((await post(`${url}/v1/completions`, { ...body, max_tokens: 12, timings: true })).body as unknown as Timed)
        .choices[0].timings!;
    expect((await ask()).predicted).toBeNull();
    expect((await ask()).predicted).toMatchObject({ from: 'steps' });
  });

  it('shows a busy neighbour as a residual, and goes on predicting what the machine can do', async () => {
    // Steps that take what the machine is priced at, and twice as long while somebody else is at work on it. Their
    // times are set: how fast this machine is, and what else it does, changes nothing.
    let neighbours = 0;
    let clock = 0;
    let last: StepPlan | undefined;
    let began = 0;
    const watch = (watcher: ScheduleWatcher): (() => void) =>
      engine.scheduling.watch({
        added: (sequence) => watcher.added?.(sequence, clock),
        step: (plan) => {
          if (plan !== last) [last, began, clock] = [plan, clock, clock + STEP_MS * (1 + neighbours)];
          watcher.step?.(plan, began, clock);
        },
        ended: (sequence) => watcher.ended?.(sequence, clock),
      });
    const timed = but(engine, { scheduling: { ...engine.scheduling, watch } });
    const { url } = await start(timed, { machine });
    const ask = async (): Promise<Timings> =>
      ((await post(`${url}/v1/completions`, { ...body, timings: true })).body as unknown as Timed).choices[0].timings!;
    const calm = await ask();
    neighbours = 1;
    const busy = await ask();
    expect([calm.itl_ms, calm.predicted!.itl_ms]).toEqual([STEP_MS, STEP_MS]);
    expect([busy.itl_ms, busy.predicted!.itl_ms]).toEqual([2 * STEP_MS, STEP_MS]);
  });

  it('stands in /metrics beside what was measured, with the residual', async () => {
    // The machine is taken to be a thousand times as fast as it can be: as if somebody else kept it busy.
    const busy = { price: { seconds: () => 1e-6 } };
    const { server, url } = await start(engine, { machine: busy });
    await post(`${url}/v1/completions`, body);
    const text = (await server.app.inject('/metrics')).body;
    const read = (name: string): number =>
      Number(new RegExp(`^ridgepoint_${name}\\{[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    for (const name of ['time_to_first_token', 'inter_token_latency']) {
      expect(read(`predicted_${name}_seconds_count`)).toBe(1);
      expect(read(`${name}_residual_ratio_count`)).toBe(1);
      expect(read(`${name}_residual_ratio_sum`)).toBeGreaterThan(1);
    }
    expect(read('step_residual_ratio_count')).toBeGreaterThanOrEqual(6);
    expect(read('step_pace')).toBeGreaterThan(10);
    for (const stage of ['queue', 'prefill', 'decode']) expect(read(`request_${stage}_time_seconds_count`)).toBe(1);
    expect(read('request_prompt_tokens_sum')).toBe(engine.tokenize(body.prompt).length);
    expect(read('request_generation_tokens_sum')).toBe(6);
  });

  it('refuses at once what cannot be kept, in numbers, and takes what can', async () => {
    const { url } = await start(engine, { machine: { price: { seconds: () => 10 } } });
    const { status, body: refused, headers } = await post(`${url}/v1/completions`, { ...body, ttft_slo_ms: 2000 });
    expect(status).toBe(429);
    expect(refused.error).toMatchObject({ code: 'slo_unattainable', param: 'ttft_slo_ms' });
    expect(refused.error.message).toMatch(
      /^the first token is expected after 1\d+ ms, and ttft_slo_ms is 2000 ms: 0 choices run and 0 wait; try again in \d+ s$/,
    );
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(7);
    const gaps = await post(`${url}/v1/completions`, { ...body, itl_slo_ms: 9000 });
    expect(gaps.body.error.message).toMatch(
      /^the gaps between tokens are expected to be 10000 ms, and itl_slo_ms is 9000/,
    );
    expect((await post(`${url}/v1/completions`, { ...body, ttft_slo_ms: 60_000, itl_slo_ms: 20_000 })).status).toBe(
      200,
    );
    expect((await post(`${url}/v1/completions`, { ...body, ttft_slo_ms: -1 })).status).toBe(400);
  });

  it('promises what the server is told to where a request does not say', async () => {
    const { url } = await start(engine, { machine: { price: { seconds: () => 10 } }, slo: { ttftMs: 500 } });
    expect((await post(`${url}/v1/completions`, body)).status).toBe(429);
    expect((await post(`${url}/v1/completions`, { ...body, ttft_slo_ms: 60_000 })).status).toBe(200);
  });

  it('is told of by the command "explain", of as many choices as there were', async () => {
    const { url } = await start(engine, { machine, apiKeys: ['secret'] });
    const asked = { ...body, n: 5 };
    await post(`${url}/v1/completions`, asked, { 'x-request-id': 'r1', authorization: 'Bearer secret' });
    const told = async (request: string, flags: object): Promise<string> => {
      printed.length = 0;
      await explainRequest(request, { url, apiKey: 'secret', ...flags });
      return printed.join('');
    };
    const text = await told('r1', {});
    const heads = text.split('\n').filter((line) => line.startsWith('r1, choice '));
    expect(heads).toHaveLength(5);
    for (const head of heads.slice(0, 4)) expect(head).toMatch(/: ended, \d+ prompt tokens \(\d+ cached\), 6 tokens in 6 steps, /); // prettier-ignore
    expect(text).toMatch(/^ {2}its own tokens +[\d.]+ ms +\d+ %$/m);
    expect(text).toMatch(/^ {2}alone +first token [\d.]+ ms +whole [\d.]+ ms$/m);
    expect(text).toMatch(/^ {2}without another choice +first token /m);
    expect(JSON.parse(await told('r1', { json: true }))).toMatchObject({ id: 'r1', state: 'ended' });
    await expect(told('nobody', {})).rejects.toThrow(/no request of this id is remembered/);
    await expect(told('r1', { apiKey: 'wrong' })).rejects.toThrow(/key/);
  });

  it.runIf(isFull)('explains where the time of a request went, by either of its ids', async () => {
    const price = {
      seconds: ({ decodeRows, prompts }: StepLoad): number =>
        0.002 + 1e-3 * decodeRows + prompts.reduce((sum, { begin, end }) => sum + 1e-4 * (end - begin), 0),
    };
    const { url } = await start(engine, { machine: { price } });
    const long = { ...body, prompt: 'The cat sat on the mat. '.repeat(30), max_tokens: 3 };
    const [answer] = await Promise.all([
      post(`${url}/v1/completions`, { ...body, max_tokens: 200 }, { 'x-request-id': 'short-one' }),
      post(`${url}/v1/completions`, long, { 'x-request-id': 'long-one' }),
    ]);
    const told = await get(`${url}/v1/requests/short-one?without=long-one`);
    const [choice] = told.choices;
    expect(told.state).toBe('ended');
    const sum = Object.values(choice.spent).reduce((total, ms) => total + ms, 0);
    expect(sum).toBeCloseTo(choice.whole_ms, 1);
    expect(choice.neighbours[0].request).toBe('long-one');
    expect(choice.without).toEqual(choice.alone);
    expect(choice.neighbours[0].without).toEqual(choice.alone);
    expect(choice.alone.e2e_ms).toBeLessThanOrEqual(choice.replayed.e2e_ms);
    const { id } = answer.body as unknown as Timed;
    expect((await get(`${url}/v1/requests/${id}`)).choices[0].spent).toEqual(choice.spent);
    expect((await fetch(`${url}/v1/requests/nobody`)).status).toBe(404);
    // A field may stand in a query twice, and of many choices the first are explained.
    await post(`${url}/v1/completions`, { ...body, n: 5, max_tokens: 1 }, { 'x-request-id': 'many' });
    const many = await get(`${url}/v1/requests/many?without=short-one&without=long-one`);
    expect(many.choices.map((each) => 'spent' in each)).toEqual([true, true, true, true, false]);
  });
});
