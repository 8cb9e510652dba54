import { type ReactElement, useEffect, useState } from "react";
import { shortened } from "../format/text.ts";
import { announce } from "./Announcer.tsx";
import { Sheets } from "./icons.tsx";

interface CopyableProps {
  readonly text: string;
  readonly what: string;
  readonly head?: number;
  readonly tail?: number;
  /** Show a mark alone, where the text itself stands beside it. */
  readonly mark?: boolean;
}

/** A hash or an address: short to read, whole on hover, in the clipboard with one click. */
export function Copyable({ text, what, head, tail, mark }: CopyableProps): ReactElement {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      className="copyable mono"
      title={`${text}\nClick to copy`}
      aria-label={`Copy ${what} ${text}`}
      onClick={() =>
        void copy(text).then((done) => {
          setCopied(done);
          if (done) announce(`Copied ${what}.`);
        })
      }
    >
      <span className={copied ? "faded" : undefined}>{mark ? <Sheets size={13} /> : shortened(text, head, tail)}</span>
      {copied && (
        <span className="copied" aria-hidden="true">
          Copied
        </span>
      )}
    </button>
  );
}

/** The clipboard's own interface exists on https and localhost only; elsewhere a selection has to do. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
