// biome-ignore-all lint/performance/useDomNodeTextContent: what a reader sees is what is tested.
/** The life of a turn where something comes between: ids that change, accounts that do, wallets and keepers that hang. */
import type { Page, Route } from "playwright-core";
import { type Address, concat, type Hex, keccak256, numberToHex, pad, toHex } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { beforeEach, describe, expect, test } from "vitest";
import { packPayer, packTerms } from "../../keeper/chain/words.ts";
import { ApiError } from "../../keeper/services/errors.ts";
import type { Intent } from "../../keeper/services/types.ts";
import { CHAIN_ID, type Kept, ROUTER } from "../keeper/support/fake-reads.ts";
import { emit } from "../keeper/support/fake-state.ts";
import { priced } from "./support/browser.ts";
import { answering, anyValidator, askAny, assign, complete, end, newest, queue } from "./support/hands.ts";
import { openStage } from "./support/stage.ts";
import { type Extension, visitWithWallet } from "./support/wallet.ts";

const stage = openStage();
const { arrive, ask, soon } = stage;

/** What was sent to the keeper, in its order. */
let intents: Intent[];

beforeEach(() => {
  intents = [];
  const { requests } = stage.keeper.services;
  const accept = requests.accept.bind(requests);
  requests.accept = (lane, intent, ...rest) => {
    intents.push(intent);
    return accept(lane, intent, ...rest);
  };
});

/** The id that the contract gives to what an intent asks for. */
function chainId(intent: Intent): Hex {
  const word = (value: bigint | number): Hex => numberToHex(value, { size: 32 });
  const { user, payment, private: isPrivate, promptHash, callback } = intent;
  const terms = packTerms({ ...intent, model: 0, isPrivate, callbackFee: 0n });
  return keccak256(
    concat([word(CHAIN_ID), pad(ROUTER), word(packPayer(user, payment)), word(terms), promptHash, pad(callback)]),
  );
}

/** The chain names a request, which the keeper knew by its digest until now; it knows it by both from here on. */
function mine(entry: Kept, id: Hex): void {
  entry.state.requestId = id;
  stage.keeper.kept.set(id, entry);
}

function lastIntent(): Intent {
  const intent = intents.at(-1);
  if (!intent) throw new Error("nothing was sent");
  return intent;
}

describe("a request that is followed by its digest", () => {
  /** The page was closed before the request was mined. */
  async function reopened(id: (intent: Intent) => Hex): Promise<{ page: Page; entry: Kept }> {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await askAny(stage, page, "Which id?");
    const asked = page.waitForResponse(/\/api\/llm\/status\//);
    await page.reload();
    await asked;
    await page.locator(".phases").getByText("Accepted").waitFor();
    mine(entry, id(lastIntent()));
    queue(entry);
    await page.getByRole("button", { name: "Cancel", exact: true }).click();
    return { page, entry };
  }

  test("is cancelled by the id that the chain gave it", async () => {
    const { page, entry } = await reopened(chainId);
    await page.getByLabel("Before you cancel").getByText("all 50 NSD, at once").waitFor();
    await page.getByRole("button", { name: "Cancel the request" }).click();
    await page.getByLabel("Receipt of a cancelled request").waitFor();
    expect(entry.state.status).toBe("cancelled");
    expect(await page.locator(".proofs").innerText()).toContain(entry.state.requestId.slice(0, 6));
  });

  test("is not mistaken for another one that the keeper names", async () => {
    const { page, entry } = await reopened(() => toHex(99n, { size: 32 }));
    const card = page.getByLabel("Before you cancel");
    await card.getByText("named another request than the one you signed").waitFor();
    expect(await page.getByRole("button", { name: "Cancel the request" }).isDisabled()).toBe(true);
    await page.reload();
    await page.locator("main").getByText("Yours may be under way: look for it in your history.").waitFor();
    expect(entry.state.status).toBe("queued");
  });
});

describe("a history that was read before the chain named a request", () => {
  test("brings no second copy of it", async () => {
    const { script, services } = stage.keeper;
    script.byHand = true;
    const named = Promise.withResolvers<void>();
    const accept = services.requests.accept;
    services.requests.accept = async (lane, intent, ...rest) => {
      const { requestId } = await accept(lane, intent, ...rest);
      await named.promise;
      const entry = stage.keeper.kept.get(requestId) as Kept;
      mine(entry, chainId(intent));
      return { ...entry.state };
    };
    const page = await arrive();
    await soon(() => stage.keeper.listenerCount()).toBeGreaterThan(0);
    await anyValidator(page);
    await ask(page, "Am I here twice?");
    await soon(() => stage.keeper.kept.size).toBe(1);
    const entry = newest(stage.keeper);
    const read = page.waitForResponse(/\/api\/history\//);
    news(entry.state.user);
    await (await read).finished();
    named.resolve();
    await page.locator(".phases").getByText("Accepted").waitFor();

    // From here on the history stays what it was, while the network moves on.
    await page.route("**/api/history/*", () => undefined);
    const network = services.reads.network;
    services.reads.network = async () => ({ ...(await network()), block: 987_654n });
    news(entry.state.user);
    await page.locator(".network").getByText("987,654").waitFor();
    expect(await page.locator(".turn").count()).toBe(1);
  });

  /** What makes the page read everything of an account again. */
  function news(address: Address): void {
    const data = { token: "LCAI", amount_wei: 10n ** 18n };
    stage.keeper.notify({ type: "reward", address, at: Date.now(), data } as never);
  }
});

describe("two questions of one conversation", () => {
  test("Stop following and Escape leave the one that is only being settled", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    await ask(page, "Is this the first?");
    await page.locator(".phases").getByText("Accepted").waitFor();
    const first = newest(stage.keeper);
    answering(first, "It is.");
    emit(first, { type: "phase", phase: "answered" });
    await page.getByRole("button", { name: "Send" }).waitFor();
    await ask(page, "And the second?");
    await soon(() => stage.keeper.kept.size).toBe(2);
    await page.getByRole("button", { name: "Stop following" }).waitFor();
    await page.keyboard.press("Escape");
    const turns = page.locator(".turn");
    await turns.nth(1).getByText("Not followed any more").waitFor();
    expect(await turns.nth(0).getAttribute("data-stage")).toBe("running");
    complete(first, "It is.");
    await turns.nth(0).getByText("paid,").waitFor();
  });

  test("Ask again asks once, in the conversation of its question", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await askAny(stage, page, "Once more?");
    end(entry, "no_node", 100);
    const again = page.getByRole("button", { name: "Ask again" });
    await again.waitFor();
    await page.evaluate(`
      const [again] = [...document.querySelectorAll("button")].filter(({ textContent }) => textContent === "Ask again");
      again.click();
      again.click();`);
    await page.locator(".turn").nth(1).locator(".phases").getByText("Accepted").waitFor();
    await again.click();
    await page.locator("[role=status]").getByText("is not answered yet").waitFor({ state: "attached" });
    expect(await page.locator(".turn").count()).toBe(2);
    expect(intents).toHaveLength(2);
  });
});

describe("what never answers", () => {
  test("is left: a wallet, whose late signature is not sent", async () => {
    stage.keeper.script.byHand = true;
    const late = Promise.withResolvers<void>();
    const account = privateKeyToAccount("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d");
    let held = true;
    const extension: Extension = {
      account: {
        ...account,
        signTypedData: async (typed) => {
          if (held) await late.promise;
          return account.signTypedData(typed);
        },
      },
      chainId: 31_337,
      signed: [],
      declines: false,
    };
    stage.open = await visitWithWallet(stage.browser, stage.url, extension);
    const { page } = stage.open;
    await priced(page);
    await page.locator("header .account").click();
    await page.getByRole("button", { name: "Test wallet" }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
    await ask(page, "Does it hang?");
    await page.getByRole("button", { name: "Sign and send" }).click();
    await soon(() => extension.signed.length).toBe(1);
    await page.keyboard.press("Escape");
    await page.locator("main").getByText("You stopped before it was signed. Nothing was charged.").waitFor();
    held = false;
    late.resolve();
    await ask(page, "Does this one?");
    await page.getByRole("button", { name: "Sign and send" }).click();
    await page.locator(".phases").getByText("Accepted").waitFor();
    expect([...stage.keeper.kept.values()].map(({ state }) => state.prompt)).toEqual(["Does this one?"]);
  });

  test("is left: a keeper that is asked for the balances", async () => {
    const page = await arrive();
    await page.route("**/api/balances/*", () => undefined);
    await ask(page, "Does it hang?");
    await page.getByRole("button", { name: "Stop following" }).click();
    await page.locator("main").getByText("You stopped before it was signed. Nothing was charged.").waitFor();
    await page.unroute("**/api/balances/*");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.getByText("paid,").waitFor();
    expect(stage.keeper.kept.size).toBe(1);
  });
});

describe("another account in the middle", () => {
  async function become(page: Page, name: string): Promise<void> {
    await page.locator("header .account").click();
    await page.getByRole("button", { name }).click();
    await page.locator("dialog").waitFor({ state: "detached" });
  }

  test("an answer goes on where it was, whole, when its account comes back", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    await ask(page, "How does it go on?");
    await page.locator(".phases").getByText("Accepted").waitFor();
    const entry = newest(stage.keeper);
    answering(entry, "One, ");
    await page.locator(".answer").getByText("One,").waitFor();
    await become(page, "Account 2");
    await page.locator(".first").waitFor();
    emit(entry, { type: "token", token: "two, " });
    await become(page, "Account 1");
    await page.locator(".answer").getByText("One, two,").waitFor();
    emit(entry, { type: "token", token: "three." });
    await page.locator(".answer").getByText("One, two, three.").waitFor();
    complete(entry, "One, two, three.");
    await page.getByText("paid,").waitFor();
    expect(await page.locator(".turn").count()).toBe(1);
  });

  test("sends nothing that was not signed yet", async () => {
    stage.keeper.script.byHand = true;
    const { requests } = stage.keeper.services;
    const prepare = requests.prepare.bind(requests);
    const [reached, open] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    requests.prepare = async (...asked) => {
      reached.resolve();
      await open.promise;
      return prepare(...asked);
    };
    const page = await arrive();
    await ask(page, "Is this sent?");
    await reached.promise;
    await become(page, "Account 2");
    open.resolve();
    await become(page, "Account 1");
    await page.getByRole("button", { name: "Send again" }).click();
    await page.locator(".phases").getByText("Accepted").waitFor();
    expect(intents).toHaveLength(1);
  });
});

describe("a signed question whose answer is lost on its way back", () => {
  const SENDING = /\/api\/(chat|llm\/generate)$/;
  const isSigned = (route: Route): boolean => "signature" in (route.request().postDataJSON() as object);

  /** Puts something between page and keeper, for what is signed; counts how often that came by. */
  async function between(page: Page, act: (route: Route, time: number) => Promise<void>): Promise<() => number> {
    let times = 0;
    await page.route(SENDING, (route) => (isSigned(route) ? act(route, ++times) : route.continue()));
    return () => times;
  }

  test("is followed where the keeper took it", async () => {
    const page = await arrive();
    await between(page, async (route) => {
      await route.fetch();
      await route.fulfill({ status: 502, body: "Bad Gateway" });
    });
    await ask(page, "Did it arrive?");
    await page.getByText("paid,").waitFor();
    expect(stage.keeper.kept.size).toBe(1);
    expect(await page.locator(".turn").count()).toBe(1);
  });

  test.each(["direct", "assigned"])(
    "is the same request where the keeper takes it later, in the %s lane",
    async (lane) => {
      const { requests } = stage.keeper.services;
      const accept = requests.accept;
      const twice = Promise.withResolvers<void>();
      let arrived = 0;
      requests.accept = async (...sent) => {
        if (++arrived === 2) twice.resolve();
        await twice.promise;
        return accept(...sent);
      };
      const page = await arrive();
      if (lane === "assigned") await anyValidator(page);
      await between(page, async (route, time) => {
        if (time > 1) return route.continue();
        void route.fetch().catch(() => undefined);
        await soon(() => arrived).toBe(1);
        return route.abort("connectionreset");
      });
      await ask(page, "Did it arrive?");
      await page.getByText("paid,").waitFor();
      expect(stage.keeper.kept.size).toBe(1);
      expect(await page.locator(".turn").count()).toBe(1);
    },
  );

  test("was not taken where the keeper says so twice more, and then nothing was charged", async () => {
    const page = await arrive();
    const times = await between(page, (route) => route.fulfill({ status: 502, body: "Bad Gateway" }));
    await ask(page, "Is anybody there?");
    await page.getByLabel("The keeper refused it").getByText("status 502. Nothing was charged.").waitFor();
    expect(times()).toBe(3);
    expect(stage.keeper.kept.size).toBe(0);
  });

  test("is not sent again where the keeper gives its reason", async () => {
    stage.keeper.services.requests.accept = async () => {
      throw new ApiError(503, "not_serving", "This keeper serves nobody.");
    };
    const page = await arrive();
    const times = await between(page, (route) => route.continue());
    await ask(page, "Is anybody there?");
    await page.locator("main").getByText("This keeper serves nobody. Nothing was charged.").waitFor();
    expect(times()).toBe(1);
  });
});

describe("what this browser knows from the keeper's history alone", () => {
  async function recalled(prompt: string): Promise<Page> {
    const page = await arrive();
    await page.locator(".thread", { hasText: prompt }).click();
    return page;
  }

  test("names the most that a request under way can cost, though nothing of it is charged yet", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    await ask(page, "What can it cost?");
    await page.locator(".phases").getByText("Accepted").waitFor();
    newest(stage.keeper).state.burned = 0n;
    const other = await recalled("What can it cost?");
    await soon(() => other.locator(".receipt").innerText()).toContain("At most 50 NSD");
    await page.context().close();
  });

  test("says who answered where this keeper has no words of it, and where they are", async () => {
    stage.keeper.script.byHand = true;
    const page = await arrive();
    const entry = await askAny(stage, page, "Who answers?");
    assign(entry, 3);
    complete(entry, "");
    const told = "Validator 3 answered, and this keeper was not told its words. They are in the stored record.";
    await soon(() => page.locator(".answer").innerText()).toBe(told);
    const other = await recalled("Who answers?");
    await soon(() => other.locator(".answer").innerText()).toBe(told);
    const record = other.locator(".answer").getByRole("link", { name: "the stored record" });
    expect(await record.getAttribute("href")).toBe(`/ipfs/${entry.state.cid}`);
    await page.context().close();
    Object.assign(entry.state, { response: "It was in the record." });
    await other.getByRole("button", { name: "New chat" }).click();
    await other.locator(".thread", { hasText: "Who answers?" }).click();
    await soon(() => other.locator(".answer").innerText()).toBe("It was in the record.");
  });
});
