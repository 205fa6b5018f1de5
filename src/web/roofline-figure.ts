const SPACE = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 360, 64, 44];

/** What a name takes, in the figure's units. */
const [NAME_WIDTH, LINE] = [90, 14];

/** Two ceilings. FLOP/s and bytes a second. */
export interface FigureRoof {
  readonly name: string;
  readonly flops: number;
  readonly bandwidth: number;
}

/** What was done: FLOPs a byte, and FLOP/s. */
export interface FigurePoint {
  readonly name: string;
  readonly intensity: number;
  readonly rate: number;
}

function shape(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const made = document.createElementNS(SPACE, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

const decade = (value: number): string => {
  const power = Math.round(Math.log10(value));
  const prefix = ['', 'k', 'M', 'G', 'T', 'P'][Math.floor(power / 3)] ?? '';
  return prefix === '' ? String(Number(value.toPrecision(1))) : `${10 ** (power % 3)} ${prefix}`;
};

/** Roofs over each other and what lies below them, both axes logarithmic. A table says the same beside it. */
export function rooflineFigure(roofs: readonly FigureRoof[], points: readonly FigurePoint[]): SVGElement {
  const ridges = roofs.map(({ flops, bandwidth }) => flops / bandwidth);
  const intensities = [...ridges, ...points.map(({ intensity }) => intensity)];
  const [from, to] = [
    Math.floor(Math.log10(Math.min(...intensities) / 3)),
    Math.ceil(Math.log10(3 * Math.max(...intensities))),
  ];
  const rates = [...roofs.map(({ flops }) => flops), ...points.map(({ rate }) => rate)];
  const [low, high] = [Math.floor(Math.log10(Math.min(...rates) / 2)), Math.ceil(Math.log10(1.5 * Math.max(...rates)))];
  const x = (value: number): number => LEFT + ((Math.log10(value) - from) / (to - from)) * (WIDTH - LEFT - 16);
  const y = (value: number): number =>
    HEIGHT - BOTTOM - ((Math.log10(value) - low) / (high - low)) * (HEIGHT - BOTTOM - 16);
  const figure = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', class: 'roofline' });
  figure.append(shape('title', {}, 'Roofline: FLOP/s over FLOPs a byte; the table below has its figures'));
  for (let power = from; power <= to; power++) {
    const at = x(10 ** power);
    figure.append(
      shape('line', { x1: at, x2: at, y1: 16, y2: HEIGHT - BOTTOM, class: 'grid' }),
      shape('text', { x: at, y: HEIGHT - BOTTOM + 18, 'text-anchor': 'middle' }, String(Number(`1e${power}`))),
    );
  }
  for (let power = low; power <= high; power++) {
    const at = y(10 ** power);
    figure.append(
      shape('line', { x1: LEFT, x2: WIDTH - 16, y1: at, y2: at, class: 'grid' }),
      shape('text', { x: LEFT - 6, y: at + 4, 'text-anchor': 'end' }, decade(10 ** power)),
    );
  }
  figure.append(
    shape('text', { x: (LEFT + WIDTH) / 2, y: HEIGHT - 8, 'text-anchor': 'middle' }, 'FLOPs a byte'),
    shape('text', { x: LEFT, y: 12 }, 'FLOP/s'),
  );
  const taken: (readonly [x: number, y: number])[] = [];
  /** The nearest height, up or down, at which a name hides no other one. */
  const free = (at: number, wanted: number, step: 1 | -1): number => {
    let height = wanted;
    while (taken.some(([x, y]) => Math.abs(x - at) < NAME_WIDTH && Math.abs(y - height) < LINE)) height += step * LINE;
    taken.push([at, height]);
    return height;
  };
  roofs.forEach(({ name, flops, bandwidth }, at) => {
    const ends = [10 ** from, flops / bandwidth, 10 ** to];
    const line = ends.map((end) => `${x(end)},${y(Math.max(10 ** low, Math.min(flops, bandwidth * end)))}`).join(' ');
    figure.append(
      shape('polyline', { points: line, class: at === 0 ? 'roof' : 'roof second' }),
      shape('text', { x: WIDTH - 20, y: free(WIDTH - 20, y(flops) - 6, -1), 'text-anchor': 'end' }, name),
    );
  });
  for (const { name, intensity, rate } of points) {
    const [cx, cy] = [x(intensity), y(rate)];
    figure.append(
      shape('circle', { cx, cy, r: 5, class: 'point' }),
      shape('text', { x: cx + 9, y: free(cx + 9, cy + 4, 1) }, name),
    );
  }
  return figure;
}
