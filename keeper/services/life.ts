/** When an idle node says that it lives. */

/** `ReputationMath.SLOT`: a node's uptime counts slots of so many seconds in which it was seen. */
export const UPTIME_SLOT = 10_125;
/** A busy node is seen by what it sends, unless that comes too late for the slot. */
const BUSY_UNTIL = 0.9;

const slotOf = (seconds: number): number => Math.floor(seconds / UPTIME_SLOT);

/** Once in a slot, and not where work shows it anyway. Times in unix seconds. */
export function isBeatDue(now: number, lastSeenAt: number, busy: boolean): boolean {
  if (slotOf(lastSeenAt) >= slotOf(now)) return false;
  return !busy || now - slotOf(now) * UPTIME_SLOT > BUSY_UNTIL * UPTIME_SLOT;
}
