/** Web3 secret storage, version 3: the encrypted form that wallets keep keys in. */
import {
  createCipheriv,
  createDecipheriv,
  pbkdf2,
  randomBytes,
  randomUUID,
  scrypt,
  timingSafeEqual,
} from "node:crypto";
import { promisify } from "node:util";
import { type Hex, hexToBytes, isHex, keccak256, size, toHex } from "viem";
import { privateKeyToAddress } from "viem/accounts";

const derivePbkdf2 = promisify(pbkdf2);
const deriveScrypt = (
  password: string,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number },
): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const maxmem = 256 * options.N * options.r;
    scrypt(password, salt, length, { ...options, maxmem }, (error, key) => (error ? reject(error) : resolve(key)));
  });

export class KeystoreError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "KeystoreError";
  }
}

interface Keystore {
  readonly version: 3;
  readonly crypto: {
    readonly cipher: string;
    readonly cipherparams: { readonly iv: string };
    readonly ciphertext: string;
    readonly kdf: string;
    readonly kdfparams: Readonly<Record<string, string | number>>;
    readonly mac: string;
  };
}

/** The private key in a keystore file's text. */
export async function decryptKeystore(text: string, password: string): Promise<Hex> {
  const keystore = parse(text);
  const { cipher, cipherparams, ciphertext, mac } = keystore.crypto;
  if (cipher !== "aes-128-ctr")
    throw new KeystoreError(`the keystore uses the cipher ${cipher}; aes-128-ctr is what is read here`);
  const derived = await derive(keystore, password);
  const secret = Buffer.from(ciphertext, "hex");
  const actual = hexToBytes(keccak256(Buffer.concat([derived.subarray(16, 32), secret])));
  const expected = Buffer.from(mac, "hex");
  if (expected.length !== actual.length || !timingSafeEqual(actual, expected))
    throw new KeystoreError("the keystore's password is wrong");
  const decipher = createDecipheriv("aes-128-ctr", derived.subarray(0, 16), Buffer.from(cipherparams.iv, "hex"));
  const key = toHex(Buffer.concat([decipher.update(secret), decipher.final()]));
  if (size(key) !== 32) throw new KeystoreError("the keystore holds no private key");
  return key;
}

/** A keystore file's text for a private key, at the strength that wallets use. */
export async function encryptKeystore(key: Hex, password: string): Promise<string> {
  if (!isHex(key) || size(key) !== 32) throw new KeystoreError("a private key is 32 bytes");
  const salt = randomBytes(32);
  const iv = randomBytes(16);
  const params = { n: 1 << 17, r: 8, p: 1 };
  const derived = await deriveScrypt(password.normalize("NFKC"), salt, 32, { N: params.n, r: params.r, p: params.p });
  const cipher = createCipheriv("aes-128-ctr", derived.subarray(0, 16), iv);
  const secret = Buffer.concat([cipher.update(hexToBytes(key)), cipher.final()]);
  const mac = keccak256(Buffer.concat([derived.subarray(16, 32), secret])).slice(2);
  const kdfparams = { ...params, dklen: 32, salt: salt.toString("hex") };
  const crypto = {
    cipher: "aes-128-ctr",
    cipherparams: { iv: iv.toString("hex") },
    ciphertext: secret.toString("hex"),
    kdf: "scrypt",
    kdfparams,
    mac,
  };
  const address = privateKeyToAddress(key).slice(2).toLowerCase();
  return `${JSON.stringify({ version: 3, id: randomUUID(), address, crypto }, null, 2)}\n`;
}

function parse(text: string): Keystore {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch {
    throw new KeystoreError("the keystore is not JSON");
  }
  const crypto = (value["crypto"] ?? value["Crypto"]) as Keystore["crypto"] | undefined;
  if (Number(value["version"]) !== 3 || !crypto?.kdfparams || !crypto.cipherparams)
    throw new KeystoreError("the file is not a Web3 v3 keystore");
  return { version: 3, crypto };
}

async function derive({ crypto: { kdf, kdfparams } }: Keystore, password: string): Promise<Buffer> {
  const salt = Buffer.from(String(kdfparams["salt"]), "hex");
  const length = Number(kdfparams["dklen"]);
  if (length < 32 || length > 64) throw new KeystoreError("the keystore's derived key has no usable length");
  const normal = password.normalize("NFKC");
  if (kdf === "scrypt") {
    return deriveScrypt(normal, salt, length, {
      N: Number(kdfparams["n"]),
      r: Number(kdfparams["r"]),
      p: Number(kdfparams["p"]),
    });
  }
  if (kdf === "pbkdf2" && kdfparams["prf"] === "hmac-sha256")
    return derivePbkdf2(normal, salt, Number(kdfparams["c"]), length, "sha256");
  throw new KeystoreError(`the keystore derives its key by ${kdf}, which is not read here`);
}
