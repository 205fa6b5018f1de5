import { createRequire } from 'node:module';
import type { Resvg as Renderer } from '@resvg/resvg-js';
import { RidgepointError } from '../../src/errors.js';
import { option, words } from '../../src/wording.js';

/** Pixels for each unit of the drawing, so that text is sharp in print and on fine screens. */
const ZOOM = 2;

/**
 * Renders a drawing.
 *
 * @throws RidgepointError where the renderer, an optional package, or any font is missing
 */
export async function png(svg: string): Promise<Uint8Array> {
  let Resvg: typeof Renderer;
  try {
    ({ Resvg } = await import('@resvg/resvg-js'));
  } catch (cause) {
    throw new RidgepointError(
      'usage',
      words`${option('compare.png')} needs the package @resvg/resvg-js, which is not installed here; install it, or use ${option('compare.svg')}`,
      { cause },
    );
  }
  const fontFiles = fonts();
  const render = (drawing: string): RenderedImage =>
    new Resvg(drawing, {
      fitTo: { mode: 'zoom', value: ZOOM },
      font: { fontFiles, loadSystemFonts: fontFiles.length === 0, defaultFontFamily: FAMILY, sansSerifFamily: FAMILY },
    });
  if (render(TEXT).getBBox() === undefined) {
    throw new RidgepointError(
      'usage',
      words`${option('compare.png')} finds no font for the text; install the package dejavu-fonts-ttf or a system font, or use ${option('compare.svg')}`,
    );
  }
  return render(svg).render().asPng();
}

const FAMILY = 'DejaVu Sans';
const TEXT = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15">x</text></svg>';
type RenderedImage = InstanceType<typeof Renderer>;

/** The fonts that come along, so that a drawing looks alike everywhere, also where no font is installed. */
function fonts(): string[] {
  const { resolve } = createRequire(import.meta.url);
  try {
    return ['DejaVuSans', 'DejaVuSans-Bold'].map((name) => resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`));
  } catch {
    return []; // an optional package
  }
}
