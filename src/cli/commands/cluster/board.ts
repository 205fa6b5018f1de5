import type { WorkerLink } from '../../../cluster/worker-link.js';
import { textTable, type Column } from '../../terminal/table.js';
import { dim, isRewritable } from '../../terminal/style.js';
import type { ClusterMember } from './member.js';

/** How often the table is drawn, in milliseconds. */
const DRAW_MS = 500;

/** A line of the table. */
export interface BoardRow {
  readonly member: ClusterMember;
  readonly role: string;
  /** Undefined for the router. */
  readonly link: WorkerLink | undefined;
}

const stateOf = ({ member, link }: BoardRow): string => {
  if (member.pid === undefined) return 'down';
  return link === undefined || link.worker !== undefined ? 'up' : 'starting';
};

/** What it was started as, and which phase a worker does that may do either. */
const roleOf = ({ role, link }: BoardRow): string => {
  const pool = link?.report?.pool;
  return pool === undefined ? role : `${role}: ${pool}`;
};

const stat = (key: 'running' | 'waiting' | 'kvBlocksFree') => ({
  key,
  head: key === 'kvBlocksFree' ? 'free blocks' : key,
  value: ({ link }: BoardRow) => link?.report?.stats[key],
  text: ({ link }: BoardRow) => {
    const stats = link?.report?.stats;
    if (stats === undefined) return '';
    return key === 'kvBlocksFree' ? `${stats.kvBlocksFree} of ${stats.kvBlocks}` : String(stats[key]);
  },
});

const plain = (key: string, text: (row: BoardRow) => string): Column<BoardRow> => ({
  key,
  head: key,
  value: text,
  text,
});

export const COLUMNS: readonly Column<BoardRow>[] = [
  plain('process', ({ member }) => member.name),
  plain('role', roleOf),
  plain('at', ({ link }) => link?.name ?? ''),
  plain('state', stateOf),
  plain('pid', ({ member }) => String(member.pid ?? '')),
  plain('restarts', ({ member }) => String(member.restarts)),
  ...[stat('running'), stat('waiting'), stat('kvBlocksFree')],
  plain('on', ({ link }) => link?.worker?.info.adapter ?? ''),
];

/** A table of processes that is drawn over itself, on a terminal. */
export class Board {
  readonly #rows: readonly BoardRow[];
  readonly #sink = process.stderr;
  readonly #timer: NodeJS.Timeout | undefined;
  #drawn = 0;
  #last = '';

  constructor(rows: readonly BoardRow[], isQuiet: boolean) {
    this.#rows = rows;
    if (!isQuiet && isRewritable(this.#sink)) this.#timer = setInterval(() => this.#draw(), DRAW_MS);
  }

  /** Writes a line above the table. */
  line(text: string): void {
    this.#clear();
    this.#sink.write(`${dim(text)}\n`);
    if (this.#timer !== undefined) this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
    this.#clear();
  }

  #draw(): void {
    const width = this.#sink.columns || 80;
    const lines = textTable(this.#rows, COLUMNS)
      .split('\n')
      .map((line) => line.slice(0, width - 1));
    const text = lines.join('\n');
    if (text === this.#last && this.#drawn > 0) return;
    this.#clear();
    this.#last = text;
    this.#drawn = lines.length - 1;
    this.#sink.write(text);
  }

  #clear(): void {
    if (this.#drawn > 0) this.#sink.write(`\x1b[${this.#drawn}A\r\x1b[J`);
    this.#drawn = 0;
  }
}
