import type { ReactElement } from "react";
import { atSecond, remaining } from "../format/time.ts";
import { useNow } from "../ui/hooks.ts";
import { connectLive, useLive } from "./socket.ts";

const GRACE_MS = 1_500;

/** Shown once the keeper has been away for longer than a blink. */
export function OfflineNotice(): ReactElement | null {
  const { state, since, retryAt } = useLive();
  const now = useNow(500, state === "offline");
  if (state !== "offline" || now - since < GRACE_MS) return null;
  const wait = retryAt - now;
  return (
    <div className="notice">
      <span>
        <span role="alert">The keeper has not answered since {atSecond(since)}. What you sent is safe.</span>{" "}
        {wait > 0 ? `Trying again in ${remaining(wait)}.` : "Trying again."}
      </span>
      <button type="button" onClick={connectLive}>
        Try now
      </button>
    </div>
  );
}
