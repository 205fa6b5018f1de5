/**
 * How near ours has to be: `exact` to the last printed digit, `within` a stated share, `shape` in order or sign only,
 * with the numbers shown.
 */
export type ReplicationClass = 'exact' | 'within' | 'shape';

/** One published figure beside ours. */
export interface ReplicatedFigure {
  readonly figure: string;
  /** As printed, which is how exact a figure has to be. */
  readonly published: string;
  readonly ours: number;
  readonly class: ReplicationClass;
  /** For `within`: the largest share ours may differ by. */
  readonly tolerance?: number;
  /** For `shape`: whether what the figure is meant to show holds here. */
  readonly holds?: boolean;
}

/** A published run again. */
export interface Replication {
  readonly name: string;
  readonly about: string;
  /** Paths below the folder of data that it needs. */
  readonly files: readonly string[];
  /** @param read the text of one of `files` */
  run(read: (file: string) => string): ReplicatedFigure[];
}

/** Ours with as many digits as were printed. */
export function asPrinted({ published, ours }: Pick<ReplicatedFigure, 'published' | 'ours'>): string {
  const point = published.indexOf('.');
  return ours.toFixed(point < 0 ? 0 : published.length - point - 1);
}

/** Whether a figure is as its class asks. */
export function replicates(figure: ReplicatedFigure): boolean {
  switch (figure.class) {
    case 'exact':
      return asPrinted(figure) === figure.published;
    case 'within':
      return Math.abs(figure.ours / Number(figure.published) - 1) <= figure.tolerance!;
    case 'shape':
      return figure.holds!;
  }
}
