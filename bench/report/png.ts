import type { Resvg as Renderer } from '@resvg/resvg-js';
import { RidgepointError } from '../../src/errors.js';

/** Pixels for each unit of the drawing, so that text is sharp in print and on fine screens. */
const ZOOM = 2;

/**
 * Renders a drawing.
 *
 * @throws RidgepointError where the renderer, an optional package, is not installed
 */
export async function png(svg: string): Promise<Uint8Array> {
  let Resvg: typeof Renderer;
  try {
    ({ Resvg } = await import('@resvg/resvg-js'));
  } catch (cause) {
    throw new RidgepointError(
      'usage',
      '--png needs the package @resvg/resvg-js, which is not installed here; install it, or use --svg',
      { cause },
    );
  }
  return new Resvg(svg, {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: { loadSystemFonts: true, defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans' },
  })
    .render()
    .asPng();
}
