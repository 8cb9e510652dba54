import { queries, refreshAccount } from "../api/queries.ts";
import type { Hex, NotificationBody } from "../api/wire.ts";
import { createStore, useStore } from "../ui/store.ts";

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 30_000;
const KEPT = 12;

/** A notification, and a number of its own: one transaction may bring the same twice. */
export interface Told extends NotificationBody {
  readonly number: number;
}

/** Whether the keeper is there, and what it told. */
export interface Live {
  readonly state: "connecting" | "open" | "offline";
  /** Since when it is offline, and when the next attempt is made. */
  readonly since: number;
  readonly retryAt: number;
  readonly notifications: readonly Told[];
}

export const live = createStore<Live>({ state: "connecting", since: 0, retryAt: 0, notifications: [] });

let socket: WebSocket | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let attempts = 0;
let received = 0;
let followed: Hex | undefined;

export function useLive(): Live {
  return useStore(live);
}

/** Follows one address; what was told about another one is forgotten. */
export function followAddress(address: Hex | undefined): void {
  if (address === followed) return;
  if (followed) say({ action: "unsubscribe", address: followed });
  followed = address;
  live.set((current) => ({ ...current, notifications: [] }));
  if (address) say({ action: "subscribe", address });
}

export function connectLive(): void {
  clearTimeout(retry);
  if (socket && socket.readyState <= WebSocket.OPEN) return;
  const opened = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
  socket = opened;
  opened.onopen = () => {
    const wasAway = live.get().state === "offline";
    attempts = 0;
    live.set((current) => ({ ...current, state: "open" }));
    if (followed) say({ action: "subscribe", address: followed });
    if (wasAway) void queries.invalidateQueries();
  };
  opened.onmessage = ({ data }) => receive(String(data));
  opened.onclose = () => {
    if (socket !== opened) return;
    socket = undefined;
    const wait = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempts) * (0.8 + Math.random() * 0.4);
    attempts += 1;
    const now = Date.now();
    live.set((current) => ({
      ...current,
      state: "offline",
      since: current.state === "offline" ? current.since : now,
      retryAt: now + wait,
    }));
    retry = setTimeout(connectLive, wait);
  };
}

function receive(data: string): void {
  const message = JSON.parse(data) as NotificationBody | { type: "subscribed" | "error" };
  if (!("data" in message)) return;
  received += 1;
  const told = { ...message, number: received };
  live.set((current) => ({ ...current, notifications: [told, ...current.notifications].slice(0, KEPT) }));
  refreshAccount(message.address);
}

function say(message: object): void {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

addEventListener("online", connectLive);
