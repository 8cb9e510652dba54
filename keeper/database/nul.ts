/** PostgreSQL's text and jsonb cannot hold U+0000: it is kept as an escape that no other text can turn into. */
export const hideNul = (text: string): string => text.replaceAll("\uE000", "\uE0001").replaceAll("\0", "\uE0000");
export const showNul = (text: string): string => text.replace(/\uE000([01])/g, (_, c) => (c === "0" ? "\0" : "\uE000"));

/** JSON whose texts, at any depth, may hold any character. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === "string" ? hideNul(part) : part));
export const fromJson = (json: string): unknown =>
  JSON.parse(json, (_, part: unknown) => (typeof part === "string" ? showNul(part) : part));
