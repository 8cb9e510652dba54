import { type ReactElement, type ReactNode, useEffect, useRef } from "react";
import { Cross } from "./icons.tsx";

interface DialogProps {
  readonly title: string;
  readonly side?: "left" | "right" | "right broad" | "middle";
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** A modal of the platform: it holds the focus, closes with Escape or outside, and gives the focus back. */
export function Dialog({ title, side = "middle", onClose, children }: DialogProps): ReactElement {
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    if (!dialog) return;
    const before = document.activeElement;
    dialog.showModal();
    return () => {
      dialog.close();
      // What opened it may have been in a sheet that is closed by now; the header's last button opens that.
      const opener = before?.isConnected ? before : document.querySelector("header button:last-child");
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a click on the backdrop only; Escape does the same by `onCancel`.
    <dialog
      ref={element}
      className={side}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === element.current) onClose();
      }}
    >
      <div className="sheet">
        <div className="sheet-head">
          <h2>{title}</h2>
          <button type="button" className="icon" aria-label="Close" onClick={onClose}>
            <Cross />
          </button>
        </div>
        {children}
      </div>
    </dialog>
  );
}
