import { element } from '../../src/web/page.js';
import type { Calibration } from '../../src/roofline/hardware/calibration.js';
import { fromCalibration, type Hardware } from '../../src/roofline/hardware/hardware.js';
import { inCatalogue } from '../../src/roofline/hardware/in-catalogue.js';
import { compareResult } from '../compare/compare.js';
import { drawFigures } from '../report/draw-figures.js';
import { variablesFor, withVariables } from '../report/theme.js';
import type { BenchResult } from '../schema.js';

let isStyled = false;

/** Gives figures the colours of their own, by script, since the page's policy forbids styles in its text. */
function style(): void {
  if (isStyled) return;
  isStyled = true;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(variablesFor('.drawn'));
  document.adoptedStyleSheets.push(sheet);
}

/** What the result's machine is predicted from; undefined where nothing is known of it. */
function hardwareOf({ context }: BenchResult, known: readonly Calibration[]): Hardware | undefined {
  const own = known.find(({ adapter, driver }) => adapter === context.adapter && driver === context.driver);
  return own === undefined ? inCatalogue(context.adapter) : fromCalibration(own);
}

/** The figures of a report: what was measured beside what was to be expected. The tables say the same. */
export async function figuresOf(result: BenchResult, known: readonly Calibration[]): Promise<HTMLElement[]> {
  const hardware = hardwareOf(result, known);
  if (hardware === undefined) {
    const how =
      'Measured in the tab My GPU first, the GPU gets figures here: what was measured beside what was expected.';
    return [element('p', '', how)];
  }
  style();
  const figures = await drawFigures(compareResult(result, hardware), { interpreted: true });
  return figures.map(({ title, caption, key, svg }) => {
    const section = element('section', 'drawn');
    const drawing = new DOMParser().parseFromString(withVariables(svg), 'image/svg+xml').documentElement;
    drawing.setAttribute('role', 'img');
    drawing.setAttribute('aria-label', title);
    const frame = element('figure', 'wide');
    frame.tabIndex = 0;
    frame.append(document.importNode(drawing, true));
    section.append(element('h2', '', title), element('p', '', caption), frame, element('p', 'figures', key ?? ''));
    return section;
  });
}
