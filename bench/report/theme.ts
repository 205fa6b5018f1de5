/** Colours by role: what a figure is drawn in, and what stands in its place where the reader prefers a dark page. */
export const COLOURS = {
  ink: ['#1d1c1a', '#f1efe9'],
  soft: ['#65635c', '#aaa79d'],
  rule: ['#e4e1d9', '#393732'],
  surface: ['#fdfcfa', '#1c1b19'],
  page: ['#f4f2ec', '#131211'],
  prefill: ['#c8570c', '#f08a45'],
  decode: ['#2563c9', '#74a5f5'],
  measured: ['#1e7a63', '#4fc3a1'],
  predicted: ['#8b3fae', '#cf93ea'],
  kind1: ['#2a6ad0', '#6a9ff2'],
  kind2: ['#d4472f', '#f07d66'],
  kind3: ['#7fb0f5', '#3f73c9'],
  kind4: ['#e0960f', '#f2b84b'],
  kind5: ['#f2cc6b', '#b07d17'],
  kind6: ['#8144a8', '#bd86e0'],
  kind7: ['#9a978d', '#77746b'],
} as const;

export type ColourRole = keyof typeof COLOURS;

/** The colour of a role as figures are drawn, which is that of a light page. */
export const colour = (role: ColourRole): string => COLOURS[role][0];

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/** Settings that all figures share. */
export const CONFIG = {
  background: 'transparent',
  font: FONT,
  view: { stroke: null },
  axis: {
    labelColor: colour('soft'),
    titleColor: colour('soft'),
    titleFontWeight: 'normal',
    titleFontSize: 12,
    labelFontSize: 11,
    gridColor: colour('rule'),
    domainColor: colour('rule'),
    tickColor: colour('rule'),
    titlePadding: 8,
    labelOverlap: true,
  },
  legend: { labelColor: colour('ink'), titleColor: colour('soft'), labelFontSize: 12, orient: 'top', title: null },
  title: { color: colour('ink'), fontSize: 13, fontWeight: 600, anchor: 'start', offset: 10 },
  text: { color: colour('ink'), fontSize: 11 },
  point: { strokeWidth: 1.5 },
};

const variables = (index: 0 | 1): string =>
  Object.entries(COLOURS)
    .map(([role, pair]) => `--${role}:${pair[index]}`)
    .join(';');

/** Rules that give what `selector` finds the colours of drawings, light and dark. */
export const variablesFor = (selector: string): string =>
  `${selector}{${variables(0)}}@media (prefers-color-scheme:dark){${selector}{${variables(1)}}}`;

/** Puts variables in place of the colours of a drawing, so that the page decides between light and dark. */
export function withVariables(svg: string): string {
  return Object.entries(COLOURS).reduce(
    (text, [role, [light]]) => text.replaceAll(`"${light}"`, `"var(--${role})"`),
    svg,
  );
}

export const CSS = `
:root{color-scheme:light dark;${variables(0)}}
@media (prefers-color-scheme:dark){:root{${variables(1)}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 ${FONT}}
main{max-width:54rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .4rem}
h2{font-size:1.2rem;margin:0 0 .3rem}
p{margin:.4rem 0 .8rem}
.lead{font-size:1.05rem;max-width:46rem}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:1.2rem 0;font-size:.9rem}
dl.facts dt{color:var(--soft)} dl.facts dd{margin:0;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:.75rem;margin:1.5rem 0}
.tile{background:var(--surface);border:1px solid var(--rule);border-radius:.6rem;padding:.8rem 1rem}
.tile b{display:block;font-size:1.5rem;font-weight:600;line-height:1.25}
.tile span{display:block;color:var(--soft);font-size:.85rem}
section{background:var(--surface);border:1px solid var(--rule);border-radius:.8rem;padding:1.3rem 1.4rem;margin:1.2rem 0}
section svg{display:block;width:100%;height:auto;margin:.8rem 0 0}
.key{color:var(--soft);font-size:.9rem;margin:.6rem 0 0}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums;width:100%}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
th:first-child,td:first-child{text-align:left;white-space:normal} th{color:var(--soft);font-weight:500}
summary{cursor:pointer;font-weight:600} details h3{font-size:.95rem;margin:1.2rem 0 .3rem}
footer{color:var(--soft);font-size:.85rem;margin-top:2rem}
.prefill{color:var(--prefill);font-weight:600} .decode{color:var(--decode);font-weight:600}
@media print{body{background:none}section,.tile{break-inside:avoid}}
`;
