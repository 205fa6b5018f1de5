import { escaped, htmlPage } from '../report/html.js';
import { colour, CSS, withVariables } from '../report/theme.js';
import { figure as digits } from '../tables/markdown.js';
import type { Ceilings } from './floor.js';
import type { Peer } from './peer.js';
import type { ProductRow, TokenRow } from './rows.js';

/** What the kit's runner wrote about its stages, as far as the page shows it. */
export interface DaySummary {
  readonly date: string;
  readonly adapter: string | null;
  readonly driver: string | null;
  readonly source: string | null;
  readonly kit: Readonly<Record<string, string | null | undefined>>;
  readonly machine: { readonly cpu?: string; readonly threads?: number; readonly distribution?: string };
  readonly stages: readonly {
    readonly name: string;
    readonly exit: number | null;
    readonly seconds: number;
    readonly plan_seconds?: number;
    readonly limit_seconds?: number;
    readonly note?: string;
    readonly said?: string;
    readonly earlier?: boolean;
  }[];
  readonly tests: {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly not_run: number;
  } | null;
}

/** All that the page is made of; what a run lacks is left out. */
export interface Day {
  readonly summary: DaySummary;
  readonly model: string;
  readonly tokens: readonly TokenRow[];
  readonly products: readonly ProductRow[];
  readonly ceilings: Ceilings | undefined;
  readonly predictedFrom: string | undefined;
  readonly peer: Peer | undefined;
  /** Milliseconds to compile, the slowest first. */
  readonly pipelines: readonly { readonly name: string; readonly ms: number }[];
  readonly load: DayLoad | undefined;
}

/** What loading a checkpoint from a file took. */
export interface DayLoad {
  /** Of the model's, where it is not all of them. */
  readonly layers?: number;
  readonly of_layers?: number;
  /** Seconds that all would have taken, for which there was no time. */
  readonly whole_expected_s?: number;
  readonly bytes: number;
  readonly load_ms: { readonly weights: number; readonly total: number };
  readonly gb_per_s: number;
  readonly cpu_s: number;
  readonly peak_bytes: number;
}

/** One page of a run of the kit, that needs neither network nor scripts. */
export function dayPage(day: Day): string {
  const title = `${day.model} on ${day.summary.adapter ?? 'no adapter'}`;
  return htmlPage(
    `${title}: beside its floor, its prediction and PyTorch`,
    `${CSS}
main{max-width:76rem}
td:first-child{white-space:nowrap}
td.best{color:var(--measured);font-weight:600}
p.sample{border:1px solid var(--kind2);border-radius:.5rem;padding:.5rem .8rem;color:var(--kind2);font-weight:600}
section svg text{font:12px system-ui,sans-serif}
`,
    `<main>
<header>
<h1>${escaped(title)}</h1>
<p class="lead">What a first and a next token take, beside the least that the hardware allows, what was predicted, and
PyTorch on the same machine.</p>
${sampleNote(day)}
${facts(day)}
</header>
${tokenSection(day)}
${productSection(day)}
${loadSection(day)}
${compileSection(day)}
${stageSection(day)}
</main>`,
  );
}

const sampleNote = ({ peer }: Day): string =>
  peer?.sample === true
    ? '<p class="sample">The figures of PyTorch are a stored sample, made up to show this page: nothing here measured them.</p>'
    : '';

function facts({ summary, ceilings, predictedFrom, peer }: Day): string {
  const { date, driver, kit, machine, tests } = summary;
  const sample = peer?.sample === true ? ', sample' : '';
  const rows: [string, string | undefined][] = [
    ['driver', driver ?? undefined],
    [
      'machine',
      [machine.cpu, machine.threads === undefined ? '' : `${machine.threads} threads`, machine.distribution]
        .filter(Boolean)
        .join(', '),
    ],
    ['measured', `${date}, kit ${kit.commit ?? 'without a commit'}, Node ${kit.node ?? '?'}, ${kit.dawn ?? '?'}`],
    ['floor from', ceilings?.source],
    ['predicted from', predictedFrom],
    [
      'PyTorch',
      peer && `${peer.torch ?? 'none'}, transformers ${peer.transformers ?? 'none'}, ${peer.device ?? '?'}${sample}`,
    ],
    [
      'tests',
      tests
        ? `${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped, ${tests.not_run} not run`
        : 'not run',
    ],
  ];
  return `<dl class="facts">${rows
    .filter((row): row is [string, string] => (row[1] ?? '') !== '')
    .map(([key, value]) => `<dt>${key}</dt><dd>${escaped(value)}</dd>`)
    .join('')}</dl>`;
}

/** Milliseconds of a launch, which may be a few microseconds. */
const fine = (ms: number | undefined): string => (ms === undefined ? '-' : ms >= 1 ? ms.toFixed(2) : ms.toFixed(4));

const ratio = (a: number | undefined, b: number | undefined): string =>
  a === undefined || b === undefined || b === 0 ? '-' : `${(a / b).toFixed(2)} x`;

function tokenSection({ tokens, peer }: Day): string {
  if (tokens.length === 0) return '';
  const engines = [...new Set(tokens.flatMap(({ peers }) => [...peers.keys()]))];
  const mark = peer?.sample === true ? ' (sample)' : '';
  const head = [
    'ms',
    'ours',
    'untuned',
    'floor',
    'of floor',
    'predicted',
    ...engines.map((name) => name + mark),
    'of the best peer',
  ];
  const rows = tokens.map(({ name, ours, untuned, floor, predicted, peers }) => {
    const rival = peers.size === 0 ? undefined : Math.min(...peers.values());
    const wins = ours !== undefined && rival !== undefined && ours <= rival;
    return [
      cell(name),
      cell(digits(ours), wins ? 'best' : ''),
      cell(digits(untuned)),
      cell(digits(floor)),
      cell(ratio(ours, floor)),
      cell(digits(predicted)),
      ...engines.map((engine) => cell(digits(peers.get(engine)), !wins && peers.get(engine) === rival ? 'best' : '')),
      cell(ratio(ours, rival)),
    ];
  });
  return `<section id="tokens">
<h2>First and next tokens</h2>
<p>Milliseconds, medians. Untuned: the default kernels. Of floor: how many times the floor ours takes; 1.10 x is as near
as counts. Of the best peer: below 1 x ours is faster. A peer's time is the better of its steps and its CUDA graph.</p>
${bars(tokens, mark)}
${table(head, rows)}
</section>`;
}

/** Ours, the floor, the prediction and the best peer as bars, each row to its own scale. */
function bars(tokens: readonly TokenRow[], mark: string): string {
  const kinds = [
    ['ours', 'measured'],
    ['predicted', 'predicted'],
    [`best peer${mark}`, 'decode'],
  ] as const;
  const [left, width, bar, gap] = [150, 520, 9, 12];
  const each = kinds.length * bar + gap;
  const height = 24 + tokens.length * each;
  const legend = kinds
    .map(
      ([name, role], i) =>
        `<rect x="${left + i * 150}" y="4" width="10" height="10" fill="${colour(role)}"/><text x="${left + 15 + i * 150}" y="13" fill="${colour('soft')}">${escaped(name)}</text>`,
    )
    .join('');
  const rows = tokens.map(({ name, ours, floor, predicted, peers }, row) => {
    const values = [ours, predicted, peers.size === 0 ? undefined : Math.min(...peers.values())];
    const most = Math.max(1e-9, ...values.map((value) => value ?? 0), floor ?? 0);
    const top = 24 + row * each;
    const x = (value: number): number => left + (width * value) / most;
    const drawn = values.map((value, i) =>
      value === undefined
        ? ''
        : `<rect x="${left}" y="${top + i * bar}" width="${(x(value) - left).toFixed(1)}" height="${bar - 1}" fill="${colour(kinds[i][1])}"/><text x="${(x(value) + 4).toFixed(1)}" y="${top + i * bar + 8}" font-size="9" fill="${colour('soft')}">${digits(value)}</text>`,
    );
    const line =
      floor === undefined
        ? ''
        : `<line x1="${x(floor).toFixed(1)}" x2="${x(floor).toFixed(1)}" y1="${top - 2}" y2="${top + kinds.length * bar}" stroke="${colour('ink')}" stroke-width="1.5"/>`;
    return `<text x="${left - 8}" y="${top + 17}" text-anchor="end" fill="${colour('ink')}">${escaped(name)}</text>${drawn.join('')}${line}`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 ${height}" role="img" aria-label="Times beside the floor">${legend}<text x="${left + 3 * 150}" y="13" fill="${colour('soft')}">| floor</text>${rows.join('')}</svg>`;
  return withVariables(svg);
}

function productSection({ products, peer }: Day): string {
  if (products.length === 0) return '';
  const mark = peer?.sample === true ? ' (sample)' : '';
  const head = [
    'product',
    'rows',
    'best variant',
    'ms',
    'default ms',
    'unchecked ms',
    'floor',
    'of floor',
    `torch${mark}`,
    'of torch',
  ];
  const rows = products.map(({ operation, shape, rows: m, best, usual, unchecked, floor, torch }) => [
    cell(`${operation} ${shape}`),
    cell(`${m}`),
    cell(best.variant),
    cell(fine(best.median_ms), torch !== undefined && best.median_ms <= torch ? 'best' : ''),
    cell(fine(usual?.median_ms)),
    cell(fine(unchecked?.median_ms)),
    cell(fine(floor)),
    cell(ratio(best.median_ms, floor)),
    cell(fine(torch), torch !== undefined && torch < best.median_ms ? 'best' : ''),
    cell(ratio(best.median_ms, torch)),
  ]);
  return `<section id="products">
<h2>Products</h2>
<p>Of every variant the fastest, with weights in rotation so that no cache holds them. Unchecked: the fastest without
bounds checks, which the engine never leaves out. Torch: <code>torch.mm</code>, and for few rows a CUDA graph.</p>
${table(head, rows)}
</section>`;
}

const SLOWEST = 8;

function compileSection({ pipelines }: Day): string {
  if (pipelines.length === 0) return '';
  const total = pipelines.reduce((sum, { ms }) => sum + ms, 0);
  const rows = pipelines.slice(0, SLOWEST).map(({ name, ms }) => [cell(`${ms}`), cell(name)]);
  return `<section id="compiling">
<h2>Compiling</h2>
<p>${pipelines.length} default kernels, ${(total / 1000).toFixed(1)} s from asked for to had, many at a time. The slowest:</p>
${table(['ms', 'kernel'], rows)}
</section>`;
}

/** What a load may take at most, in seconds. */
const LOAD_TARGET = 15;

function loadSection({ load }: Day): string {
  if (load === undefined) return '';
  const { bytes, load_ms: ms, gb_per_s: rate, cpu_s: cpu, peak_bytes: peak } = load;
  const { layers, of_layers: of, whole_expected_s: expected } = load;
  const part =
    expected === undefined
      ? ''
      : `${layers} of ${of} layers, since all would take some ${expected.toFixed(0)} s, for which there was no time: `;
  const weights = `${(bytes / 1e9).toFixed(1)} GB of weights in ${(ms.weights / 1000).toFixed(1)} s, ${rate.toFixed(1)} GB/s`;
  const whole = `from nothing to a ready engine ${(ms.total / 1000).toFixed(1)} s of at most ${LOAD_TARGET}`;
  return `<section id="loading">
<h2>Loading</h2>
<p>${part}${weights}; ${whole}. Processor ${cpu.toFixed(1)} s, memory of the process at most ${(peak / 2 ** 20).toFixed(0)} MiB.
From a file in the page cache: a disk that is slower than that is what binds.</p>
</section>`;
}

function stageSection({ summary }: Day): string {
  const rows = summary.stages.map(
    ({ name, exit, seconds, plan_seconds: plan, limit_seconds: limit, note, said, earlier }) => [
      cell(name),
      cell(earlier ? 'earlier' : digits(seconds)),
      cell(plan === undefined ? '-' : `${plan}`),
      cell(limit === undefined ? '-' : limit.toFixed(0)),
      cell(exit === null ? '-' : `${exit}`),
      cell((note ?? said ?? '').slice(0, 90)),
    ],
  );
  return `<section id="stages">
<h2>Stages</h2>
${table(['stage', 's', 'planned', 'limit', 'exit', 'remark'], rows)}
</section>`;
}

interface Cell {
  readonly text: string;
  readonly style: string;
}
const cell = (text: string, style = ''): Cell => ({ text, style });

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const body = rows
    .map(
      (row) =>
        `<tr>${row.map(({ text, style }) => `<td${style === '' ? '' : ` class="${style}"`}>${escaped(text)}</td>`).join('')}</tr>`,
    )
    .join('');
  return `<div class="scroll"><table><thead><tr>${head.map((each) => `<th>${escaped(each)}</th>`).join('')}</tr></thead><tbody>${body}</tbody></table></div>`;
}
