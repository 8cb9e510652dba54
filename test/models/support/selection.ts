/** Who is eligible, how it ranks, and whom a sample can be made of, by the protocol's words. */

export interface Node {
  readonly id: number;
  /** Thousands of NST. */
  readonly stake: number;
  readonly reputation: number;
  readonly load: number;
  readonly capacity: number;
  /** Percent. */
  readonly speed: number;
  readonly closed: boolean;
  readonly probation: boolean;
  readonly models: readonly number[];
}

export const eligible = (node: Node, model: number): boolean =>
  node.models.includes(model) && !node.closed && node.reputation >= 50 && node.load < node.capacity;

/**
 * 40 stake + 30 reputation + 20 free capacity + 10 speed, each normalised to 0..1, in hundredths of a part, so 10,000 at
 * most; what is left of the share of capacity below one of these is dropped. Stake saturates at 100,000 NST; on probation
 * reputation ranks as neutral at best. Zero for whoever may not have the request.
 */
export function score(node: Node, model: number): number {
  if (!eligible(node, model)) return 0;
  const stake = Math.min(node.stake, 100);
  const reputation = node.probation ? Math.min(node.reputation, 89) : node.reputation;
  const free = Math.floor((20 * 100 * (node.capacity - node.load)) / node.capacity);
  return 40 * stake + 30 * reputation + free + 10 * node.speed;
}

/** Every one of `nodes` that could be chosen where all of them are the sample. */
export function best(nodes: readonly Node[], model: number): Set<number> {
  const scores = nodes.map((node) => score(node, model));
  const most = Math.max(0, ...scores);
  return new Set(nodes.filter((_, at) => most > 0 && scores[at] === most).map(({ id }) => id));
}

/**
 * The rows that a drawn ticket leads to: its own row of four seats, and that of the next ticket of the same sixteen that
 * sits in another row.
 */
export function rowsFrom(tickets: readonly number[], drawn: number): number[] {
  const first = drawn - (drawn % 16);
  const word = Array.from({ length: 16 }, (_, at) => tickets[first + ((drawn - first + at) % 16)] ?? 0);
  const rows: number[] = [];
  for (const id of word) {
    const row = Math.floor(id / 4);
    if (id !== 0 && row !== rows.at(-1) && rows.length < 2) rows.push(row);
  }
  return rows;
}
