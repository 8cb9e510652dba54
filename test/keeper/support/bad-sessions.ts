/** What clients of sessions get wrong: name, address, body, and the status, code and field that it is answered with. */
import { hash, user } from "./bad-input.ts";

const open = { user_address: user, cap: 50, key: user };
const session = {
  user,
  validator: user,
  key: user,
  model: "llama-2-7b-q4",
  cap: "50000000000000000000",
  expiry: "99999999999",
  nonce: 0,
  deadline: "99999999999",
};
const signature = `0x${"11".repeat(65)}`;
const prompt = { message: "hello", number: 1, signature };
const receipt = { count: 1, total: "6000000000000000000", root: hash, signature };
const prompts = `/api/sessions/${hash}/prompts`;
const apiKey = `/api/sessions/${hash}/api-key`;
const close = `/api/sessions/${hash}/close`;

export const SESSIONS: readonly [string, string, object, number, string, string | undefined][] = [
  ["no address", "/api/sessions", { cap: 50, key: user }, 400, "missing_field", "user_address"],
  ["no cap", "/api/sessions", { user_address: user, key: user }, 400, "missing_field", "cap"],
  ["neither key nor API key", "/api/sessions", { user_address: user, cap: 50 }, 400, "missing_field", "key"],
  ["both", "/api/sessions", { ...open, api_key: true }, 400, "missing_field", "key"],
  ["a cap in words", "/api/sessions", { ...open, cap: "much" }, 400, "invalid_amount", "cap"],
  ["half a key", "/api/sessions", { ...open, key: "0x12" }, 400, "invalid_address", "key"],
  ["a minute", "/api/sessions", { ...open, expires_in: 60 }, 400, "invalid_field", "expires_in"],
  ["a year", "/api/sessions", { ...open, expires_in: 31_536_000 }, 400, "invalid_field", "expires_in"],
  ["an unknown field", "/api/sessions", { ...open, limit: 5 }, 400, "unknown_field", "limit"],
  [
    "a session without its key",
    "/api/sessions",
    { session: { ...session, key: undefined } },
    400,
    "missing_field",
    "session.key",
  ],
  ["a cap that is none", "/api/sessions", { session: { ...session, cap: "1.5" } }, 400, "invalid_field", "session.cap"],
  [
    "a cap of 97 bits",
    "/api/sessions",
    { session: { ...session, cap: "99999999999999999999999999999" } },
    400,
    "invalid_field",
    "session.cap",
  ],
  ["half a signature", "/api/sessions", { session, signature: "0x12" }, 400, "invalid_signature", "signature"],
  ["no message", prompts, { number: 1, signature }, 400, "missing_field", "message"],
  ["no number beside the signature", prompts, { message: "hello", signature }, 400, "missing_field", "number"],
  ["prompt 0", prompts, { ...prompt, number: 0 }, 400, "invalid_field", "number"],
  ["2049 tokens", prompts, { ...prompt, max_tokens: 2049 }, 400, "tokens_out_of_range", "max_tokens"],
  ["a third of a hundredth", prompts, { ...prompt, temperature: 0.333 }, 400, "invalid_field", "temperature"],
  [
    "a receipt without a root",
    prompts,
    { ...prompt, receipt: { ...receipt, root: undefined } },
    400,
    "missing_field",
    "receipt.root",
  ],
  [
    "a receipt that is not signed",
    prompts,
    { ...prompt, receipt: { ...receipt, signature: undefined } },
    400,
    "missing_field",
    "receipt.signature",
  ],
  [
    "a negative total",
    prompts,
    { ...prompt, receipt: { ...receipt, total: "-1" } },
    400,
    "invalid_field",
    "receipt.total",
  ],
  ["an unknown session", prompts, prompt, 404, "session_not_found", "session_id"],
  ["an id that is none", "/api/sessions/0x12/prompts", prompt, 400, "invalid_field", "session_id"],
  ["a signature for the API key without its deadline", apiKey, { signature }, 400, "missing_field", "deadline"],
  ["the API key of an unknown session", apiKey, { prepare: true }, 404, "session_not_found", "session_id"],
  ["a signature without its deadline", close, { signature }, 400, "missing_field", "deadline"],
  ["a deadline in words", close, { deadline: "soon", signature }, 400, "invalid_field", "deadline"],
  ["an unknown session to close", close, { prepare: true }, 404, "session_not_found", "session_id"],
];
