import type { ReactElement } from "react";
import type { NotificationBody } from "../api/wire.ts";
import { amount } from "../format/amount.ts";
import { ago } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { useLive } from "./socket.ts";

export function LiveList(): ReactElement {
  const { notifications } = useLive();
  const now = useNow(10_000);
  return (
    <section className="live">
      <h2>Live</h2>
      {notifications.length === 0 ? (
        <p className="soft small">Rewards and settlements appear here as they happen.</p>
      ) : (
        <ul>
          {notifications.map((notification) => (
            <li key={notification.number}>
              <span className={notification.type === "reward" ? "good" : undefined}>{told(notification)}</span>
              <time dateTime={new Date(notification.at).toISOString()}>{ago(notification.at, now)}</time>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function told({ type, data }: NotificationBody): string {
  const wei = data["amount_wei"];
  const shown = typeof wei === "string" ? amount(BigInt(wei)) : undefined;
  if (type === "reward") return shown ? `+${shown} ${String(data["token"] ?? "LCAI")}` : "Reward earned";
  if (type === "deposit") return shown ? `Deposited ${shown} NSD` : "Deposit arrived";
  if (type === "interaction")
    return data["record"] === undefined ? "Chat recorded" : `Recorded as #${String(data["record"])}`;
  const phase = String(data["phase"] ?? data["status"] ?? "updated");
  return `Request ${PHASES[phase] ?? phase}`;
}

const PHASES: Readonly<Record<string, string>> = {
  attempt_failed: "moves to another validator",
  cancelling: "being cancelled",
};
