import type { ReactElement } from "react";
import { exact } from "../format/amount.ts";

export interface Leg {
  readonly kind: "validator" | "treasury" | "burn" | "back";
  readonly name: string;
  /** Undefined while it is not known. */
  readonly wei: bigint | undefined;
  readonly shown: string | undefined;
}

/** One bar and its numbers: both add up to what was paid. */
export function Legs({ legs }: { readonly legs: readonly Leg[] }): ReactElement {
  const known = legs.every(({ wei }) => wei !== undefined);
  const label = known ? legs.map(({ name, shown }) => `${name} ${shown} NSD`).join(", ") : "Not settled yet";
  return (
    <>
      <div className="bar" role="img" aria-label={label}>
        {legs.map(({ kind, wei }) => (
          <i
            key={kind}
            data-leg={kind}
            data-empty={!wei || undefined}
            style={{ flexGrow: wei ? Number(wei) / 1e18 : 0 }}
          />
        ))}
      </div>
      <dl className="legs">
        {legs.map(({ kind, name, wei, shown }) => (
          <div key={kind}>
            <dt data-leg={kind}>{name}</dt>
            <dd title={wei === undefined ? undefined : `${exact(wei)} NSD`}>{shown ?? "–"}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
