import type { PageRequest, PageStatus, PageTimes } from './answers.js';

/** What the page does. It runs in the browser as it stands here, so it may use nothing from outside of itself. */
export function page(): void {
  const byId = (id: string): HTMLElement => document.getElementById(id)!;
  const say = (id: string, text: string): void => void (byId(id).textContent = text);
  const shown = (value: number | null | undefined): string =>
    value === null || value === undefined ? '–' : value >= 100 ? value.toFixed(0) : value.toFixed(value >= 10 ? 1 : 2);
  const SPACE = 'http://www.w3.org/2000/svg';
  let chat = false;
  let model = '';

  function draw(parent: Element, name: string, attributes: Record<string, string | number>, text = ''): void {
    const made = document.createElementNS(SPACE, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
    made.textContent = text;
    parent.append(made);
  }

  /** Two rows of values, the newest to the right. */
  function plot(id: string, a: readonly (number | null)[], b: readonly (number | null)[], bars: boolean): void {
    const svg = byId(id);
    svg.replaceChildren();
    const width = svg.clientWidth || 400;
    const height = 180;
    const values = [...a, ...b].filter((value): value is number => value !== null);
    if (values.length === 0) {
      draw(svg, 'text', { x: 0, y: 20 }, 'nothing yet');
      return;
    }
    // One that stands out must not press all others to the ground.
    const sorted = [...values].sort((x, y) => x - y);
    const top = Math.max(1.2 * sorted[Math.floor(0.97 * (sorted.length - 1))], 1e-6);
    const x = (at: number): number => 42 + ((at + 0.5) * (width - 46)) / a.length;
    const y = (value: number): number => height - 8 - (Math.min(value, top) / top) * (height - 20);
    for (const share of [0, 0.5, 1]) {
      draw(svg, 'line', { x1: 42, x2: width, y1: y(share * top), y2: y(share * top), stroke: 'var(--line)' });
      draw(svg, 'text', { x: 38, y: y(share * top) + 4, 'text-anchor': 'end' }, shown(share * top));
    }
    const wide = Math.max(1, (0.8 * (width - 46)) / a.length);
    a.forEach((value, at) => {
      if (value === null) return;
      if (bars) {
        const from = y(value);
        draw(svg, 'rect', { x: x(at) - wide / 2, y: from, width: wide, height: height - 8 - from, fill: 'var(--a)' });
      } else draw(svg, 'circle', { cx: x(at), cy: y(value), r: 4, fill: 'var(--a)' });
    });
    b.forEach((value, at) => {
      if (value === null) return;
      const half = Math.max(wide / 2, 3);
      const line = { x1: x(at) - half, x2: x(at) + half, y1: y(value), y2: y(value) };
      draw(svg, 'line', { ...line, stroke: 'var(--b)', 'stroke-width': 2 });
    });
  }

  function roofline({ roof, work }: PageStatus): void {
    const svg = byId('roof');
    svg.replaceChildren();
    if (!roof) {
      say('roofnote', 'There is no calibration of this adapter; "ridgepoint calibrate" makes one.');
      return;
    }
    const { bytes_per_second: bandwidth, flops_per_second: flops } = roof;
    const ridge = flops / bandwidth;
    const width = svg.clientWidth || 400;
    const [low, high] = [Math.log10(ridge) - 2.5, Math.log10(ridge) + 2];
    const x = (intensity: number): number =>
      42 + ((Math.min(Math.max(Math.log10(intensity), low), high) - low) / (high - low)) * (width - 50);
    const top = Math.log10(flops) + 0.3;
    const y = (rate: number): number => 10 + ((top - Math.max(Math.log10(rate), top - 4)) / 4) * 150;
    const points = [10 ** low, ridge, 10 ** high].map((at) => `${x(at)},${y(Math.min(flops, at * bandwidth))}`);
    draw(svg, 'polyline', { points: points.join(' '), fill: 'none', stroke: 'var(--b)', 'stroke-width': 2 });
    const plain = (value: number): string => String(Number(value.toPrecision(1)));
    draw(svg, 'text', { x: 44, y: 176 }, `${plain(10 ** low)} FLOP/byte`);
    draw(svg, 'text', { x: width - 4, y: 176, 'text-anchor': 'end' }, `${plain(10 ** high)} FLOP/byte`);
    const giga = (value: number): string => (value / 1e9).toPrecision(3);
    let note = `Roof: ${giga(flops)} GFLOP/s, ${giga(bandwidth)} GB/s.`;
    if (work && work.ms > 0 && work.bytes > 0) {
      const rate = work.flops / (work.ms / 1000);
      const intensity = work.flops / work.bytes;
      draw(svg, 'circle', { cx: x(intensity), cy: y(rate), r: 6, fill: 'var(--a)' });
      const share = (100 * rate) / Math.min(flops, intensity * bandwidth);
      note += ` Last step: ${giga(rate)} GFLOP/s at ${intensity.toPrecision(3)} FLOP/byte, ${share.toFixed(0)} % of its roof.`;
    }
    say('roofnote', note);
  }

  const COLOURS = ['#8a94a0', '#c9a227', '#0b6bcb', '#4fa3f7', '#c2410c', '#f08c3a', '#a21caf', '#64748b'];
  const WORDS: Record<string, string> = {
    before_ms: 'before the queue',
    queue_ms: 'in the queue',
    prefill_ms: 'its own prompt',
    decode_ms: 'its own tokens',
    others_prompts_ms: 'prompts of others',
    others_rows_ms: 'tokens of others',
    preemption_ms: 'sent away for memory',
    host_ms: 'the host',
  };

  function element(name: string, text = '', colour = ''): HTMLElement {
    const made = document.createElement(name);
    made.textContent = text;
    if (colour !== '') made.style.background = colour;
    return made;
  }

  async function explain(id: string): Promise<void> {
    const response = await fetch(`/v1/requests/${encodeURIComponent(id)}`);
    const box = byId('explained');
    if (!response.ok) {
      box.replaceChildren(element('p', `${id} is not remembered any more.`));
      return;
    }
    const told = (await response.json()) as PageRequest;
    box.replaceChildren(element('h2', id));
    for (const [at, choice] of told.choices.entries()) {
      // Of many choices the first are explained.
      if (choice.spent === undefined) continue;
      if (told.choices.length > 1) box.append(element('h3', `Choice ${at + 1} of ${told.choices.length}`));
      const bar = element('div');
      bar.className = 'bar';
      const list = element('ul');
      Object.entries(choice.spent).forEach(([name, ms], at) => {
        const part = element('span', '', COLOURS[at]);
        part.style.flexGrow = String(ms);
        bar.append(part);
        const item = element('li');
        item.append(element('i', '', COLOURS[at]), `${WORDS[name] ?? name}: ${shown(ms)} ms`);
        list.append(item);
      });
      box.append(bar, list);
      const { replayed, alone, neighbours = [] } = choice;
      if (replayed && alone) {
        const others = (request: string | null): string =>
          request === told.id ? 'another of its choices' : (request?.slice(0, 12) ?? 'a request');
        const dear = neighbours.map((of) => `${shown(of.without.e2e_ms)} ms without ${others(of.request)}`);
        const whole = `Took ${shown(choice.whole_ms)} ms; replayed ${shown(replayed.e2e_ms)} ms, alone ${shown(alone.e2e_ms)} ms`;
        box.append(element('p', `${[whole, ...dear].join(', ')}.`));
      }
    }
  }

  function list({ requests = [] }: PageStatus): void {
    const rows = requests.slice(0, 12).map(({ id, state, choices }) => {
      const row = element('tr');
      const [first] = choices;
      const name = element('td');
      const button = element('button', id);
      button.title = id;
      button.addEventListener('click', () => void explain(id));
      name.append(button);
      const cells = [
        state,
        first ? String(first.prompt_tokens) : '–',
        first ? String(choices.reduce((sum, { tokens }) => sum + tokens, 0)) : '–',
        shown(first?.ttft_ms),
        shown(first?.predicted?.ttft_ms),
        shown(first?.itl_ms),
        shown(first?.predicted?.itl_ms),
      ];
      row.append(name, ...cells.map((text) => element('td', text)));
      return row;
    });
    byId('requests').replaceChildren(...rows);
  }

  function show(status: PageStatus): void {
    const { steps = [], requests = [] } = status;
    chat = status.chat;
    model = status.model;
    say('who', `${status.model} (${status.dtype}) on ${status.adapter}, ${status.driver}`);
    say('running', String(status.running));
    say('waiting', String(status.waiting));
    say('kv', `${status.kv_blocks - status.kv_blocks_free} / ${status.kv_blocks}`);
    const last = steps.at(-1);
    say('batch', last === undefined ? '–' : `${last.rows} + ${last.prompt_tokens}`);
    say('pace', status.price_from ? `${shown(status.pace)}×` : '–');
    plot(
      'steps',
      steps.map(({ ms }) => ms),
      steps.map((step) => step.expected_ms),
      true,
    );
    const times = requests.flatMap(({ choices }) => choices).reverse();
    plot(
      'ttft',
      times.map((of) => of.ttft_ms),
      times.map((of) => of.predicted?.ttft_ms ?? null),
      false,
    );
    plot(
      'itl',
      times.map((of) => of.itl_ms),
      times.map((of) => of.predicted?.itl_ms ?? null),
      false,
    );
    roofline(status);
    list(status);
  }

  async function look(): Promise<void> {
    try {
      const response = await fetch('/v1/status');
      if (!response.ok) throw new Error(`the server answers ${response.status}`);
      show((await response.json()) as PageStatus);
      byId('trouble').hidden = true;
    } catch (error) {
      say('trouble', `No news: ${(error as Error).message}`);
      byId('trouble').hidden = false;
    }
    setTimeout(() => void look(), document.hidden ? 5000 : 1000);
  }

  const value = (id: string): string => (byId(id) as HTMLInputElement).value;

  async function send(): Promise<void> {
    const answer = byId('answer');
    answer.textContent = '';
    say('answered', '');
    const prompt = value('prompt');
    const asked = chat ? { messages: [{ role: 'user', content: prompt }] } : { prompt };
    const sampling = { max_tokens: Number(value('tokens')), temperature: Number(value('temperature')) };
    const response = await fetch(chat ? '/v1/chat/completions' : '/v1/completions', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, ...asked, ...sampling, stream: true, timings: true }),
    });
    if (!response.ok || response.body === null) {
      const { error } = (await response.json()) as { error: { message: string } };
      say('answered', error.message);
      return;
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    for (;;) {
      const { done, value: piece } = await reader.read();
      if (done) return;
      const events = (rest + piece).split('\n\n');
      rest = events.pop()!;
      for (const event of events) read(event);
    }
  }

  function read(event: string): void {
    if (!event.startsWith('data: {')) return;
    const { choices = [], error } = JSON.parse(event.slice(6)) as {
      choices?: { text?: string; delta?: { content?: string | null }; timings?: PageTimes | null }[];
      error?: { message: string };
    };
    if (error) say('answered', error.message);
    for (const { text, delta, timings } of choices) {
      byId('answer').append(text ?? delta?.content ?? '');
      if (!timings) continue;
      const { predicted } = timings;
      const said = predicted ? `, predicted ${shown(predicted.ttft_ms)} and ${shown(predicted.itl_ms)} ms` : '';
      say(
        'answered',
        `${timings.tokens} tokens; first after ${shown(timings.ttft_ms)} ms, then one each ${shown(timings.itl_ms)} ms${said}`,
      );
    }
  }

  byId('play').addEventListener('submit', (event) => {
    event.preventDefault();
    send().catch((error: unknown) => say('answered', String(error)));
  });
  void look();
}
