/** Who gets the model next. */

export interface Standing {
  /** The most that the request can be charged, NSD wei. */
  readonly chargeable: bigint;
  /** 0 to 100. */
  readonly userReputation: number;
  readonly priority: boolean;
  /** Unix milliseconds. */
  readonly arrivedAt: number;
}

/**
 * Points at the beginning of time: NSD that can be charged, a tenth of the user's reputation, half again with the
 * priority flag. A second of waiting adds a point to everybody, so an early arrival is simply a lead, and the order of
 * two requests never changes.
 */
export function points(standing: Standing): number {
  const charge = Number(standing.chargeable / 10n ** 12n) / 1e6;
  const worth = (charge + standing.userReputation / 10) * (standing.priority ? 1.5 : 1);
  return worth - standing.arrivedAt / 1000;
}

interface Entry<Item> {
  readonly item: Item;
  readonly points: number;
  readonly order: number;
}

/** A binary heap: the most points first, and among equals who came first. */
export class PriorityQueue<Item> {
  readonly #heap: Entry<Item>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  push(item: Item, points: number): void {
    this.#heap.push({ item, points, order: this.#order++ });
    this.#rise(this.#heap.length - 1);
  }

  pop(): Item | undefined {
    return this.#take(0);
  }

  /** False where it is not in the queue. */
  remove(item: Item): boolean {
    const index = this.#heap.findIndex((entry) => entry.item === item);
    if (index < 0) return false;
    this.#take(index);
    return true;
  }

  #take(index: number): Item | undefined {
    const taken = this.#heap[index];
    const last = this.#heap.pop();
    if (taken === undefined || last === undefined || taken === last) return taken?.item;
    this.#heap[index] = last;
    this.#rise(index);
    this.#sink(index);
    return taken.item;
  }

  #rise(from: number): void {
    for (let child = from; child > 0; ) {
      const parent = (child - 1) >> 1;
      if (!this.#before(child, parent)) return;
      this.#swap(child, parent);
      child = parent;
    }
  }

  #sink(from: number): void {
    for (let parent = from; ; ) {
      let best = parent;
      for (const child of [2 * parent + 1, 2 * parent + 2]) {
        if (child < this.#heap.length && this.#before(child, best)) best = child;
      }
      if (best === parent) return;
      this.#swap(parent, best);
      parent = best;
    }
  }

  #before(a: number, b: number): boolean {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return false;
    return left.points === right.points ? left.order < right.order : left.points > right.points;
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#heap[a], this.#heap[b]];
    if (left === undefined || right === undefined) return;
    this.#heap[a] = right;
    this.#heap[b] = left;
  }
}
