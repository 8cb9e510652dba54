/**
 * API keys. Neither the key that a client sends nor the session's own is written down: both are derived, the one from the session's
 * id and the other from the terms that its user signs, with a secret that lies in the data folder beside the other keys.
 */
import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type Address, type Hex, hexToBytes, isAddressEqual, type LocalAccount, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { domainOf } from "../../chain/intents.ts";
import type { Session } from "../../chain/sessions.ts";
import { ApiError } from "../errors.ts";

const FILE = "session.key";
const SECRET_BYTES = 32;
const PREFIX = "nsk_";
const API_KEY = /^nsk_[A-Za-z0-9_-]{43}$/;

export type HeldTerms = Pick<Session, "user" | "validator" | "model" | "cap" | "expiry" | "nonce">;

/** Never on chain: it tells a keeper to tell the session's API key to whoever brings it. */
export const apiKeyTypedData = (chainId: number, router: Address, session: Hex, deadline: bigint) => ({
  domain: domainOf(chainId, router),
  types: {
    ApiKey: [
      { name: "session", type: "bytes32" },
      { name: "deadline", type: "uint64" },
    ],
  },
  primaryType: "ApiKey" as const,
  message: { session, deadline },
});

export const isApiKey = (text: string): boolean => API_KEY.test(text);

export const hashOfApiKey = (apiKey: string): string => createHash("sha256").update(apiKey).digest("hex");

export class HeldKeys {
  readonly #secret: Buffer;

  private constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** Reads the folder's secret, or makes one. Without it the sessions of API keys can be settled and closed, and no more. */
  static open(dataDir: string): HeldKeys {
    const file = join(dataDir, FILE);
    mkdirSync(dataDir, { recursive: true });
    try {
      const handle = openSync(file, "wx", 0o600);
      writeSync(handle, randomBytes(SECRET_BYTES).toString("hex"));
      fsyncSync(handle);
      closeSync(handle);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
      chmodSync(file, 0o600);
    }
    const secret = Buffer.from(readFileSync(file, "utf8").trim(), "hex");
    if (secret.length !== SECRET_BYTES)
      throw new Error(`${file} is not a session secret: 64 hex digits are expected. Put the file back, or remove it.`);
    return new HeldKeys(secret);
  }

  apiKeyOf(session: Hex): string {
    const key = hkdfSync("sha256", this.#secret, "neuroswarm api key", hexToBytes(session), SECRET_BYTES);
    return `${PREFIX}${Buffer.from(key).toString("base64url")}`;
  }

  /** The key of a session with these terms: a nonce opens one session, so no two sessions share a key. */
  accountFor({ user, validator, model, cap, expiry, nonce }: HeldTerms): LocalAccount {
    const terms = [user.toLowerCase(), validator.toLowerCase(), model, cap, expiry, nonce].join("|");
    const key = toHex(new Uint8Array(hkdfSync("sha256", this.#secret, "neuroswarm session key", terms, 32)));
    return privateKeyToAccount(key);
  }

  /** Undefined where somebody else holds the session's key. */
  holderOf(session: Session): LocalAccount | undefined {
    const account = this.accountFor(session);
    return isAddressEqual(account.address, session.key) ? account : undefined;
  }
}

export const keyLost = (): ApiError =>
  new ApiError(503, "key_lost", "This keeper has lost the key behind this API key. Make another one.");
