/** Reads JSON bodies so that nothing behind it meets text, numbers or shapes that it cannot hold. */
import type { FastifyInstance } from "fastify";
import { ApiError } from "../services/errors.ts";

const MAX_DEPTH = 16;
/** Every decimal of so many digits survives the way through a double. */
const EXACT_DIGITS = 15;

export function parseJson(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  if (text.trim() === "") throw new ApiError(400, "invalid_json", "The body is empty. Send a JSON object.");
  checkDepth(text);
  try {
    return JSON.parse(text, checked);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError(
      400,
      "invalid_json",
      "The body is not JSON. Send a JSON object with content-type application/json.",
    );
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError(400, "invalid_utf8", "The body is not valid UTF-8. Encode the JSON as UTF-8.");
  }
}

/** Before parsing: the parser's reviver recurses, and a deep document would exhaust the stack. */
function checkDepth(text: string): void {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (quoted) {
      if (character === "\\") i++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") {
      if (++depth > MAX_DEPTH)
        throw new ApiError(
          400,
          "invalid_json",
          `The body is nested deeper than ${MAX_DEPTH} levels. Send a flat object.`,
        );
    } else if (character === "}" || character === "]") depth--;
  }
}

function checked(this: unknown, key: string, value: unknown, context?: { source?: string }): unknown {
  if (key === "__proto__") {
    throw new ApiError(400, "unknown_field", 'There is no field "__proto__". Remove it.', { field: "__proto__" });
  }
  if (typeof value === "string") checkText(value, key);
  if (typeof value === "number" && digits(context?.source ?? String(value)) > EXACT_DIGITS) {
    throw new ApiError(
      400,
      "invalid_amount",
      `The number "${key}" has more digits than JSON numbers carry exactly. Send it as a string.`,
      {
        field: key,
        expected: `a number of at most ${EXACT_DIGITS} digits, or a string`,
      },
    );
  }
  return value;
}

/** Half a surrogate pair has no UTF-8, and PostgreSQL stores no NUL: what is hashed would not be what is kept. */
export function checkText(text: string, field: string): void {
  if (text.isWellFormed() && !text.includes("\u0000")) return;
  throw new ApiError(
    400,
    "invalid_text",
    `${field === "" ? "The text" : `"${field}"`} holds a character that is no text (NUL or half of a surrogate pair). Remove it.`,
    {
      field,
      expected: "well-formed Unicode without NUL",
    },
  );
}

/** Digits that carry the value: neither leading nor trailing zeros. */
function digits(source: string): number {
  if (source.length > 64) return source.length;
  const written = source
    .replace(/^-/, "")
    .replace(/[eE].*$/, "")
    .replace(".", "");
  return written.replace(/^0+/, "").replace(/0+$/, "").length;
}

export function registerJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "buffer" }, async (_request: unknown, body: Buffer) =>
    parseJson(body),
  );
}
