import fc from "fast-check";
import { type Hex, pad, toHex } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Database } from "../../keeper/database/database.ts";
import { Hub } from "../../keeper/services/hub.ts";
import type { RequestEvent } from "../../keeper/services/types.ts";
import { openCopy } from "./support/database-template.ts";

let database: Database;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ database, remove } = await openCopy());
});
afterAll(() => remove?.());

/** Characters that a model may say and that a database, or JSON, takes in its own way. */
const token = fc.string({
  unit: fc.oneof(
    fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    fc.constantFrom("\0", "\uE000", "\\", "u0000", "0", "1"),
  ),
  minLength: 1,
});

test("what was told is told the same after a restart, whatever the model says", async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(token, { minLength: 1, maxLength: 8 }),
      fc.string({ unit: "binary" }),
      async (tokens, why) => {
        const key: Hex = pad(toHex(++number), { size: 32 });
        const before = new Hub(database, () => 1);
        const told: RequestEvent[] = [];
        await before.follow(key, 0, (event) => told.push(event));
        for (const text of tokens) await before.token(key, text);
        await before.phase(key, "answered", { why });
        const after = new Hub(database);
        const again: RequestEvent[] = [];
        await after.follow(key, 0, (event) => again.push(event));
        expect(again).toEqual(told);
        expect(await after.textOf(key)).toBe(tokens.join(""));
      },
    ),
    { numRuns: 200, examples: [[["\0", "\\u0000", "\uE000", "1", "\uE0000"], "\0"]] },
  );
});
