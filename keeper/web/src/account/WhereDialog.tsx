import type { ReactElement } from "react";
import { useLocated } from "../api/queries.ts";
import type { Hex } from "../api/wire.ts";
import { conversation, openThread } from "../chat/conversation.ts";
import { exact } from "../format/amount.ts";
import { dated } from "../format/time.ts";
import { Dialog } from "../ui/Dialog.tsx";
import { type Place, placesOf, type TokenPlaces } from "./places.ts";

interface WhereProps {
  readonly address: Hex;
  readonly onClose: () => void;
  readonly onWithdraw: () => void;
}

/** Every unit of every token that the account has: where it is, and from when it can be had. */
export function WhereDialog({ address, onClose, onWithdraw }: WhereProps): ReactElement {
  const { data, isError } = useLocated(address);
  const tokens = data ? placesOf(data) : [];
  return (
    <Dialog title="Where everything is" side="right broad" onClose={onClose}>
      {!data && (
        <p className="soft">{isError ? "The keeper did not tell. It is asked again when it is back." : "Reading"}</p>
      )}
      {data && tokens.length === 0 && <p className="soft">Nothing yet, in no token.</p>}
      {tokens.length > 0 && (
        <table className="places">
          <thead>
            <tr>
              <th scope="col">Where</th>
              <th scope="col">Amount</th>
              <th scope="col">Yours from</th>
            </tr>
          </thead>
          {tokens.map((group) => (
            <Group key={group.token} group={group} onClose={onClose} onWithdraw={onWithdraw} />
          ))}
        </table>
      )}
      {data && (
        <p className="soft small">
          As of block {data.block.toLocaleString("en-US")}, {dated(Date.parse(data.at))}. All times are local.
        </p>
      )}
    </Dialog>
  );
}

interface GroupProps {
  readonly group: TokenPlaces;
  readonly onClose: () => void;
  readonly onWithdraw: () => void;
}

function Group({ group, onClose, onWithdraw }: GroupProps): ReactElement {
  const { token, total, places } = group;
  return (
    <tbody>
      <tr className="sum">
        <th scope="rowgroup">{token}</th>
        <td>{total}</td>
        <td />
      </tr>
      {places.map((place) => (
        <Row key={place.key} place={place} token={token} onClose={onClose} onWithdraw={onWithdraw} />
      ))}
    </tbody>
  );
}

/** What is to be said of a place has a line of its own, as wide as the table. */
function Row({ place, token, ...ways }: Omit<GroupProps, "group"> & RowProps): ReactElement {
  const hint = hintOf(place, ways);
  const told = place.note !== "" || hint !== undefined;
  return (
    <>
      <tr data-told={told || undefined}>
        <th scope="row">{place.name}</th>
        <td title={`${exact(place.wei)} ${token}`}>{place.shown}</td>
        <td>{whenOf(place)}</td>
      </tr>
      {told && (
        <tr className="note">
          <td colSpan={3}>
            {place.note} {hint}
          </td>
        </tr>
      )}
    </>
  );
}

interface RowProps {
  readonly place: Place;
  readonly token: string;
}

function whenOf({ from, now }: Place): ReactElement | string {
  if (from === undefined) return "–";
  return now ? "now" : <time dateTime={new Date(from).toISOString()}>{dated(from)}</time>;
}

/** Only what this page can do is offered. */
function hintOf(place: Place, { onClose, onWithdraw }: Omit<GroupProps, "group">): ReactElement | undefined {
  if (place.kind === "credits") return <Action name="Withdraw" onClick={onWithdraw} />;
  if (place.kind === "withdrawing")
    return <Action name={place.now ? "Take it out" : "Keep it instead"} onClick={onWithdraw} />;
  const thread = place.requestId && threadOf(place.requestId);
  if (!thread) return undefined;
  const show = (): void => {
    openThread(thread);
    onClose();
  };
  return <Action name="Show it" onClick={show} />;
}

function threadOf(requestId: Hex): string | undefined {
  return conversation.get().threads.find(({ turns }) => turns.some((turn) => turn.requestId === requestId))?.id;
}

function Action({ name, onClick }: { readonly name: string; readonly onClick: () => void }): ReactElement {
  return (
    <button type="button" className="plain" onClick={onClick}>
      {name}
    </button>
  );
}
