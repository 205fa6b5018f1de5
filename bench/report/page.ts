import type { Comparison } from '../compare/compare.js';
import { runtimeOf } from '../context.js';
import { titleOf } from '../compare/table.js';
import { IN_WORDS } from '../compare/statistic.js';
import { figure as digits, markdownPercent, signedPercent } from '../tables/markdown.js';
import { section, type DrawnFigure } from './drawn-figure.js';
import { escaped, htmlPage, table } from './html.js';
import { CSS } from './theme.js';

/** The report: one page that needs nothing else, neither network nor scripts. */
export function page(comparison: Comparison, figures: readonly DrawnFigure[]): string {
  const { result } = comparison;
  const { context, model } = result;
  const title = `${model.name} on ${context.adapter}`;
  return htmlPage(
    `${title}: prefill and decode, measured and predicted`,
    CSS,
    `<main>
<header>
<h1>${escaped(title)}</h1>
<p class="lead">A language model answers in two phases. <span class="prefill">Prefill</span> reads the whole prompt at once
and ends with the first token; <span class="decode">decode</span> then makes one token after the other. The two strain the
hardware in opposite ways, so they are measured and predicted apart.</p>
${facts(comparison)}
${tiles(comparison)}
</header>
${figures.map(section).join('\n')}
${gaps(comparison)}
${tables(comparison)}
<footer>Times compared are the ${IN_WORDS[comparison.statistic]} of the repetitions${result.complete ? '' : '; this run is incomplete'}. TTFT: time to first token. TPOT: time per output token after the first,
(E2E − TTFT) / (n − 1). Written by ridgepoint ${escaped(context.ridgepoint)}.</footer>
</main>`,
  );
}

function facts({ result, hardware, predictor }: Comparison): string {
  const { context, model, options, host } = result;
  const commit = context.git_commit === null ? '' : `, commit ${context.git_commit}`;
  const rows: [string, string][] = [
    ['adapter', `${context.adapter} (${context.tier})`],
    ['driver', context.driver],
    ['host', `${host.cpu}, ${host.threads} threads, ${host.os}`],
    [
      'model',
      `${model.name}, ${digits(model.parameters / 1e6)} M parameters in ${context.dtype}, KV cache in ${context.kv_dtype}, ${model.weights} weights`,
    ],
    ['measured', `${result.date}, ${options.repetitions} repetitions after ${options.warmup} warm-up`],
    [
      'predicted from',
      `${hardware.source}; ${predictor.pricer.peak.name} ${digits(predictor.pricer.peak.rate / 1e9)} GFLOP/s, ${digits(hardware.bandwidth / 1e9)} GB/s`,
    ],
    ['versions', `ridgepoint ${context.ridgepoint}${commit}, ${runtimeOf(context)}`],
  ];
  return `<dl class="facts">${rows.map(([key, value]) => `<dt>${key}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>`;
}

function tiles({ points, errors, result }: Comparison): string {
  const ttft = points.filter(({ measure }) => measure === 'ttft').at(-1);
  const tpot = points.find(({ measure, batch }) => measure === 'tpot' && batch === 1);
  const best = result.records
    .filter((record) => record.kind === 'tpot')
    .sort((a, b) => b.tokens_per_second - a.tokens_per_second)[0];
  const of = (measure: string): string => {
    const found = errors.find((each) => each.measure === measure);
    return found === undefined ? '' : markdownPercent(found.mape);
  };
  const list: [string, string, string][] = [];
  if (ttft)
    list.push([
      `${digits(ttft.measuredMs)} ms`,
      `TTFT, ${ttft.prompt} tokens`,
      `predicted ${digits(ttft.predictedMs)} ms`,
    ]);
  if (tpot) list.push([`${digits(tpot.measuredMs)} ms`, `TPOT, one user`, `predicted ${digits(tpot.predictedMs)} ms`]);
  if (best) list.push([`${digits(best.tokens_per_second)} tok/s`, 'most, all users', `batch of ${best.batch}`]);
  if (of('ttft') !== '') list.push([of('ttft'), 'mean error of TTFT', `TPOT ${of('tpot') || '-'}`]);
  return `<div class="tiles">${list
    .map(
      ([value, name, note]) =>
        `<div class="tile"><b>${escaped(value)}</b><span>${escaped(name)}</span><span>${escaped(note)}</span></div>`,
    )
    .join('')}</div>`;
}

/** Rows shown of the largest gaps. */
const GAPS = 8;

/** Where the time is that the prediction does not account for, and what binds there. */
function gaps({ phases }: Comparison): string {
  const all = phases.flatMap((phase) => phase.kinds.map((each) => ({ phase, each })));
  const size = ({ each }: (typeof all)[number]): number => Math.abs(each.predictedMs - each.measuredMs);
  const largest = all.sort((a, b) => size(b) - size(a)).slice(0, GAPS);
  if (largest.length === 0) return '';
  const rows = largest.map(({ phase, each }) => [
    `${each.name} in ${titleOf(phase)}`,
    digits(each.measuredMs),
    digits(each.predictedMs),
    signedPercent(each.error),
    each.bound,
  ]);
  return `<section id="gaps">
<h2>Where measurement and prediction part</h2>
<p>The operations that miss by most milliseconds. What binds says which of three costs is the largest by reckoning:
arithmetic (compute), moving bytes (memory), or starting the kernel at all (launch).</p>
${table(['operation', 'measured ms', 'predicted ms', 'error', 'bound by'], rows)}
</section>`;
}

function tables({ points, phases }: Comparison): string {
  const sweep = table(
    ['point', 'measured ms', 'predicted ms', 'error', 'bound by'],
    points.map((each) => [
      each.id,
      digits(each.measuredMs),
      digits(each.predictedMs),
      signedPercent(each.error),
      each.bound,
    ]),
  );
  const byPhase = phases.map((phase) => {
    const rows = phase.kinds.map((each) => [
      each.name,
      String(each.launches),
      digits(each.measuredMs),
      digits(each.predictedMs),
      signedPercent(each.error),
      each.bound,
      digits(each.flopsPerSecond / 1e9),
      digits(each.bytesPerSecond / 1e9),
    ]);
    const head = ['operation', 'launches', 'measured ms', 'predicted ms', 'error', 'bound by', 'GFLOP/s', 'GB/s'];
    return `<h3>Operations of ${escaped(titleOf(phase))}</h3>${table(head, rows)}`;
  });
  return `<section><details><summary>All numbers</summary><h3>Points of the sweep</h3>${sweep}${byPhase.join('')}</details></section>`;
}
