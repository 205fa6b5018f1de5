import { CONFIG } from './theme.js';

/** A Vega-Lite specification without its settings. */
export type Spec = Record<string, unknown>;

/** A figure with what a reader must know to read it. */
export interface Figure {
  /** Also the name of its file. */
  readonly id: string;
  readonly title: string;
  /** A sentence or two before the drawing: what it shows, and what follows from it. */
  readonly caption: string;
  /** How marks are to be read, after the drawing. */
  readonly key?: string;
  readonly spec: Spec;
}

/**
 * Draws a figure as SVG; no page is needed for it.
 *
 * @param interpreted whether expressions are evaluated as they stand, where a page may not make code of them
 */
export async function draw(
  { spec, title }: Pick<Figure, 'spec' | 'title'>,
  { interpreted = false } = {},
): Promise<string> {
  // Together they take 200 ms to load, which only a report is worth.
  const [{ compile }, vega] = await Promise.all([import('vega-lite'), import('vega')]);
  const full = { ...spec, config: CONFIG, padding: 6, description: title } as unknown as Parameters<typeof compile>[0];
  const warnings: string[] = [];
  const note = (...args: readonly unknown[]): void => void warnings.push(args.map(String).join(' '));
  const compiled = compile(full, { logger: quietLogger(note) as never }).spec;
  const runtime = vega.parse(compiled, undefined, { ast: interpreted });
  const expr = interpreted ? (await import('vega-interpreter')).expressionInterpreter : undefined;
  const view = new vega.View(runtime, { renderer: 'none', logger: quietLogger(note), expr } as never);
  try {
    const svg = await view.toSVG();
    if (warnings.length > 0) throw new Error(`figure "${title}": ${warnings[0]}`);
    return svg;
  } finally {
    view.finalize();
  }
}

/** A specification that is not understood to the letter is a mistake of ours, so warnings are not let pass. */
function quietLogger(note: (...args: readonly unknown[]) => void) {
  const logger = {
    level: (level?: number): unknown => (level === undefined ? 1 : logger),
    error: (...args: readonly unknown[]): unknown => (note(...args), logger),
    warn: (...args: readonly unknown[]): unknown => (note(...args), logger),
    info: (): unknown => logger,
    debug: (): unknown => logger,
  };
  return logger;
}
