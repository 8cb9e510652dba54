import type { ReactElement } from "react";

interface IconProps {
  readonly size?: number;
}

function icon(paths: ReactElement): (props: IconProps) => ReactElement {
  return ({ size = 18 }) => (
    <svg
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.7"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {paths}
    </svg>
  );
}

export const Mark = icon(
  <>
    <circle cx="10" cy="10" r="2.4" fill="currentColor" stroke="none" />
    <circle cx="3.5" cy="5" r="1.8" />
    <circle cx="16.5" cy="5" r="1.8" />
    <circle cx="3.5" cy="15" r="1.8" />
    <circle cx="16.5" cy="15" r="1.8" />
    <path d="M5 6.1 8.2 8.6M15 6.1l-3.2 2.5M5 13.9l3.2-2.5M15 13.9l-3.2-2.5" />
  </>,
);
export const Check = icon(<path d="m4.5 10.5 3.6 3.6 7.4-8" />);
export const Cross = icon(<path d="m5 5 10 10M15 5 5 15" />);
export const Lines = icon(<path d="M3.5 5.5h13M3.5 10h13M3.5 14.5h8" />);
export const Purse = icon(
  <>
    <path d="M3 6.5A1.5 1.5 0 0 1 4.5 5h10.5v3M3 6.5v8.5a1.5 1.5 0 0 0 1.5 1.5H17V8H4.5A1.5 1.5 0 0 1 3 6.5Z" />
    <circle cx="13.8" cy="12.2" r=".8" fill="currentColor" />
  </>,
);
export const Sheets = icon(
  <>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M13 7V5.5a2 2 0 0 0-2-2H5.5a2 2 0 0 0-2 2V11a2 2 0 0 0 2 2H7" />
  </>,
);
