import { fromPixel, toPixel, type Domain } from './axes.js';

/** A name to stand beside a mark. */
export interface Label {
  readonly name: string;
  /** Of the mark. */
  readonly x: number;
  readonly y: number;
  /** Radius of the mark in pixels. */
  readonly radius: number;
}

export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly x: Domain;
  readonly y: Domain;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly y: number;
  readonly half: number;
}

const LINE = 13;
const CHARACTER = 6.5;

/**
 * Places for names right of their marks on logarithmic axes, moved up or down until none covers another or a mark: `y` of the
 * result is that of the name, `x` its left end.
 */
export function placeLabels<T extends Label>(labels: readonly T[], marks: readonly Label[], plane: Plane): T[] {
  const at = ({ x, y }: Label) => ({ x: toPixel(plane.x, plane.width, x), y: toPixel(plane.y, plane.height, y) });
  const taken: Box[] = marks.map((mark) => {
    const { x, y } = at(mark);
    return { left: x - mark.radius, right: x + mark.radius, y, half: mark.radius };
  });
  const free = ({ left, right, y, half }: Box): boolean =>
    taken.every((box) => right < box.left || left > box.right || Math.abs(y - box.y) >= half + box.half);
  // From the top down, so that names keep the order of their marks.
  return [...labels]
    .sort((a, b) => b.y - a.y)
    .map((label) => {
      const wide = label.name.length * CHARACTER;
      const mark = at(label);
      const gap = label.radius + 3;
      const left = mark.x + gap + wide < plane.width ? mark.x + gap : mark.x - gap - wide;
      const box = (offset: number): Box => ({ left, right: left + wide, y: mark.y + offset, half: LINE / 2 });
      const offsets = Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? -1 : 1) * Math.ceil(i / 2) * 3);
      const place = offsets.map(box).find(free) ?? box(0);
      taken.push(place);
      return { ...label, x: fromPixel(plane.x, plane.width, left), y: fromPixel(plane.y, plane.height, place.y) };
    });
}
