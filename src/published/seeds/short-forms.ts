import type { DocumentId, SeedFigure } from './figure.js';

type Ours = () => number | string;
type Extra = Pick<SeedFigure, 'decimals' | 'truncated'>;

/** Short forms for the figures of one document. */
export function figuresOf(document: DocumentId) {
  const same =
    (verdict: 'reproduced' | 'consistent') =>
    (id: string, where: string, what: string, published: string, ours: Ours, explanation?: string, extra: Extra = {}) =>
      ({
        id,
        document,
        where,
        what,
        published,
        ours,
        verdict,
        explanation,
        ...extra,
      }) satisfies SeedFigure as SeedFigure;
  return {
    reproduced: same('reproduced'),
    consistent: same('consistent'),
    predicted: (
      id: string,
      where: string,
      what: string,
      published: string,
      ours: Ours,
      explanation: string,
      extra: Pick<SeedFigure, 'unit' | 'otherUnit'> = {},
    ): SeedFigure => ({
      ...{ id, document, where, what, published, ours, verdict: 'predicted', explanation },
      ...extra,
    }),
    wrong: (
      id: string,
      where: string,
      what: string,
      published: string,
      ours: Ours | undefined,
      explanation: string,
      unit?: string,
    ): SeedFigure => ({
      ...{ id, document, where, what, published, ours, verdict: 'wrong in the source', explanation, unit },
    }),
    simulated: (id: string, where: string, what: string, published: string, explanation?: string): SeedFigure => ({
      ...{ id, document, where, what, published, verdict: 'needs the simulator', explanation },
    }),
    beyond: (
      id: string,
      where: string,
      what: string,
      published: string,
      explanation: string,
      ours?: Ours,
      unit?: string,
    ): SeedFigure => ({
      ...{ id, document, where, what, published, ours, verdict: 'not reproducible here', explanation, unit },
    }),
  };
}
