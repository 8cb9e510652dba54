import type { Address, Hex } from "viem";
import type { Sql } from "../database/database.ts";
import { fromJson, toJson } from "../database/nul.ts";
import { getRequest } from "../database/requests.ts";
import { KeyedMutex } from "./mutex.ts";
import { stateOf } from "./state.ts";
import type { Notification, Phase, RequestEvent, RequestState } from "./types.ts";

/** How many finished requests are kept in memory for those who come late; older ones are read from the database. */
const FINISHED_KEPT = 256;

type StoredEvent = Exclude<RequestEvent, { type: "final" }> | { readonly seq: number; readonly type: "final" };
/** An event before it has its place in the order; `Omit` over each member of the union. */
type Unplaced = RequestEvent extends infer Event ? (Event extends RequestEvent ? Omit<Event, "seq"> : never) : never;

interface Journal {
  readonly events: RequestEvent[];
  persisted: number;
  text: string;
  readonly listeners: Set<(event: RequestEvent) => void>;
}

/** What happens to requests, in order and without gaps, to whoever listens, whenever they come. */
export class Hub {
  readonly #sql: Sql;
  readonly #now: () => number;
  readonly #journals = new Map<Hex, Promise<Journal>>();
  readonly #locks = new KeyedMutex();
  readonly #changes = new Map<Hex, Set<() => void>>();
  readonly #notified = new Map<string, Set<(notification: Notification) => void>>();
  readonly #finished: Hex[] = [];

  constructor(sql: Sql, now: () => number = Date.now) {
    this.#sql = sql;
    this.#now = now;
  }

  /** A phase that is the last one already is not told twice: so a restart goes on where the crash was. */
  phase(key: Hex, phase: Phase, detail?: Record<string, unknown>): Promise<void> {
    return this.#append(key, { type: "phase", phase, at: this.#now(), ...(detail ? { detail } : {}) });
  }

  token(key: Hex, token: string): Promise<void> {
    return this.#append(key, { type: "token", token });
  }

  async final(key: Hex, state: RequestState): Promise<void> {
    await this.#append(key, { type: "final", state });
    this.#finished.push(key);
    if (this.#finished.length > FINISHED_KEPT) {
      const oldest = this.#finished.shift();
      if (oldest !== undefined && (await this.#journals.get(oldest))?.listeners.size === 0)
        this.#journals.delete(oldest);
    }
  }

  /** Whether its end was told. */
  async isOver(key: Hex): Promise<boolean> {
    return (await this.#journal(key)).events.at(-1)?.type === "final";
  }

  async textOf(key: Hex): Promise<string> {
    return (await this.#journal(key)).text;
  }

  /** Begins anew: what happened to it before counts no more. */
  async forget(key: Hex): Promise<void> {
    await this.#locks.run(key, async () => {
      this.#journals.delete(key);
      await this.#sql.query("delete from request_events where key = $1", [key]);
    });
  }

  /** Wakes those who wait for a request to move. */
  changed(key: Hex): void {
    for (const wake of this.#changes.get(key) ?? []) wake();
  }

  onChange(key: Hex, wake: () => void): () => void {
    const wakers = this.#changes.get(key) ?? new Set();
    this.#changes.set(key, wakers.add(wake));
    return () => {
      wakers.delete(wake);
      if (wakers.size === 0) this.#changes.delete(key);
    };
  }

  async follow(key: Hex, fromSeq: number, listener: (event: RequestEvent) => void): Promise<() => void> {
    return this.#locks.run(key, async () => {
      const journal = await this.#journal(key);
      for (const event of journal.events) if (event.seq >= fromSeq) listener(event);
      journal.listeners.add(listener);
      return () => {
        journal.listeners.delete(listener);
        // Who asked about an old request brought it back to memory: it goes when the last of them does.
        const isOver = journal.events.at(-1)?.type === "final";
        if (isOver && journal.listeners.size === 0 && !this.#finished.includes(key)) this.#journals.delete(key);
      };
    });
  }

  notify(notification: Notification): void {
    for (const listener of this.#notified.get(notification.address.toLowerCase()) ?? []) listener(notification);
  }

  onNotification(address: Address, listener: (notification: Notification) => void): () => void {
    const key = address.toLowerCase();
    const listeners = this.#notified.get(key) ?? new Set();
    this.#notified.set(key, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0) this.#notified.delete(key);
    };
  }

  #append(key: Hex, unplaced: Unplaced): Promise<void> {
    return this.#locks.run(key, async () => {
      const journal = await this.#journal(key);
      if (unplaced.type === "phase") {
        const last = journal.events.findLast((event) => event.type !== "token");
        if (last?.type === "phase" && last.phase === unplaced.phase) return;
      }
      const event = { ...unplaced, seq: journal.events.length } as RequestEvent;
      journal.events.push(event);
      if (event.type === "token") journal.text += event.token;
      else await this.#persist(key, journal);
      for (const listener of journal.listeners) listener(event);
    });
  }

  #journal(key: Hex): Promise<Journal> {
    const known = this.#journals.get(key);
    if (known) return known;
    const loading = this.#load(key);
    this.#journals.set(key, loading);
    loading.catch(() => this.#journals.delete(key));
    return loading;
  }

  async #load(key: Hex): Promise<Journal> {
    const rows = await this.#sql.query<{ event: string }>(
      "select event::text as event from request_events where key = $1 order by seq",
      [key],
    );
    const stored = rows.map(({ event }) => fromJson(event) as StoredEvent);
    const row = stored.some(({ type }) => type === "final") ? await getRequest(this.#sql, key) : undefined;
    const events = stored.flatMap((event): RequestEvent[] => {
      if (event.type !== "final") return [event];
      return row ? [{ ...event, state: stateOf(row) }] : [];
    });
    const text = events.map((event) => (event.type === "token" ? event.token : "")).join("");
    return { events, persisted: events.length, text, listeners: new Set() };
  }

  /** Tokens are written with the phase that follows them: a crash before that draws the same ones again. */
  async #persist(key: Hex, journal: Journal): Promise<void> {
    const fresh = journal.events.slice(journal.persisted);
    const stored = fresh.map((event) => (event.type === "final" ? { seq: event.seq, type: event.type } : event));
    await this.#sql.query(
      `insert into request_events (key, seq, event)
       select $1, (event->>'seq')::int, event from jsonb_array_elements($2::jsonb) as event on conflict do nothing`,
      [key, toJson(stored)],
    );
    journal.persisted = journal.events.length;
  }
}
