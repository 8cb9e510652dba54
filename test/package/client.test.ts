/** What client/ repeats of the contracts, held against their sources. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { encodeFunctionData, getAddress } from "viem";
import { expect, test } from "vitest";
import { addressesOf, NETWORKS } from "../../client/addresses.ts";
import {
  CANCEL_TYPES,
  DELIVERY_TYPES,
  FAILURE_CLASS,
  LAUNCH_MODELS,
  RECEIPT_TYPES,
  REQUEST_STATUS,
  REQUEST_TYPES,
  routerAbi,
  SESSION_TYPES,
  unpackOffer,
} from "../../client/index.ts";
import { localAddresses } from "../../client/local.ts";
import { loadParameters } from "../../deploy/parameters.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test.each([REQUEST_TYPES, CANCEL_TYPES, DELIVERY_TYPES, SESSION_TYPES, RECEIPT_TYPES])(
  "a message has the type that the router hashes",
  (types) => {
    const [[name, fields] = ["", []]] = Object.entries(types);
    const type = `${name}(${fields.map((field: { type: string; name: string }) => `${field.type} ${field.name}`)})`;
    expect(read("contracts/router/Intents.sol")).toContain(`"${type}"`);
  },
);

test.each([
  ["RequestStatus", REQUEST_STATUS],
  ["FailureClass", FAILURE_CLASS],
] as const)("%s counts as the contracts do", (name, names) => {
  const source = read("contracts/interfaces/IInferenceRouter.sol");
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  expect(body.split(",").map((line) => line.trim())).toEqual(names);
});

test("the catalogue at launch is every network's, and the local chain adds one", () => {
  const public_ = JSON.parse(read("deploy/parameters/sepolia.json")) as { models: { name: string }[] };
  expect(public_.models.map(({ name }) => name)).toEqual(LAUNCH_MODELS);
  expect(loadParameters("local").models.map(({ name }) => name)).toEqual([...LAUNCH_MODELS, "demo-3m"]);
});

test("the public networks are those whose books the repository keeps", () => {
  const folder = join(ROOT, "deployments");
  const books = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".json")) : [];
  expect(NETWORKS).toEqual(books.map((file) => JSON.parse(readFileSync(join(folder, file), "utf8"))));
});

test("an address that nobody knows is said, with what to do", () => {
  expect(() => addressesOf(1)).toThrow(/not deployed on chain 1,.*readAddressBook of "neuroswarm\/local"/);
  expect(() => localAddresses("nowhere")).toThrow(/There is no nowhere.deployments.31337\.json: `npm start` writes it/);
});

test("an offer is read where its fields lie, whoever their neighbours are", () => {
  const fields: [bigint, bigint][] = [
    [1n, 0n],
    [3n, 1n],
    [2_048n, 9n],
    [(1n << 17n) - 1n, 29n],
    [2n, 46n],
    [(1n << 21n) - 1n, 62n],
    [5_000n, 96n],
    [1_000n, 208n],
  ];
  const offer = unpackOffer(fields.reduce((word, [value, shift]) => word | (value << shift), 0n));
  expect(offer).toMatchObject({ active: true, model: 3, tokenLimit: 2_048, servers: 2, burnBps: 1_000n });
  expect(offer.base).toBe(5n * 10n ** 18n);
});

test("the router's ABI takes a ticket as its event says it", () => {
  const ticket = {
    payer: 1n,
    terms: 2n,
    promptHash: `0x${"0".repeat(64)}`,
    callback: getAddress(`0x${"1".repeat(40)}`),
  } as const;
  expect(encodeFunctionData({ abi: routerAbi, functionName: "cancel", args: [ticket] })).toHaveLength(2 + 8 + 4 * 64);
});
