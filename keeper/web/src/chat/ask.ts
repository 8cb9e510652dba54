import { post, Refusal } from "../api/client.ts";
import { balancesQuery, queries, refreshAccount } from "../api/queries.ts";
import type { ErrorBody, Hex, NetworkBody } from "../api/wire.ts";
import { plain } from "../format/amount.ts";
import { announce } from "../ui/Announcer.tsx";
import type { Account } from "../wallet/session.ts";
import { loadWallet } from "../wallet/session.ts";
import { addTurn, changeTurn, conversation, findTurn, removeTurn } from "./conversation.ts";
import type { Confirmation, Problem, Terms } from "./model.ts";
import { creditsProblem, Declined, problemOf, UnknownRequest } from "./problems.ts";
import { followRequest, readStream, TurnWriter } from "./stream.ts";

export interface Asker {
  readonly account: Account;
  readonly network: NetworkBody;
}

const running = new Map<string, AbortController>();
const decisions = new Map<string, (agreed: boolean) => void>();

/** Sends a prompt as a new turn of the open thread. */
export function ask(prompt: string, terms: Terms, asker: Asker): void {
  void run(addTurn(prompt, terms), asker);
}

/** Sends a turn that did not get through once more, in its place at the end of the thread. */
export function askAgain(key: string, asker: Asker, terms?: Terms): void {
  const found = findTurn(key);
  if (!found) return;
  if (!found.turn.requestId) removeTurn(key);
  ask(found.turn.prompt, terms ?? found.turn.terms, asker);
}

/** The reader's word on what is shown before signing. */
export function decide(key: string, agreed: boolean): void {
  decisions.get(key)?.(agreed);
  decisions.delete(key);
}

/** Stops following: the request itself goes on, and is settled without the page. */
export function stopFollowing(key: string): void {
  decide(key, false);
  running.get(key)?.abort();
}

export function follow(key: string, asker: Asker): void {
  const requestId = findTurn(key)?.turn.requestId;
  if (!requestId || running.has(key)) return;
  void guarded(key, asker, async (signal) => {
    changeTurn(key, ({ problem: _, ...turn }) => ({ ...turn, stage: "running" }));
    const writer = new TurnWriter(key);
    writer.restart();
    await followRequest(requestId, writer, signal);
  });
}

/** Takes up again what the page was following when it was closed. */
export function followInterrupted(asker: Asker): void {
  for (const { turns } of conversation.get().threads) {
    for (const turn of turns) {
      if (turn.stage === "stopped" && turn.requestId && !turn.problem) follow(turn.key, asker);
    }
  }
}

function run(key: string, asker: Asker): Promise<void> {
  return guarded(key, asker, async (signal) => {
    const found = findTurn(key);
    if (!found) return;
    const { prompt, terms } = found.turn;
    const { account, network } = asker;
    await checkCredits(terms, account.address);
    const fields = fieldsOf(prompt, terms, found.thread.id, asker);
    const [wallet, asked] = await Promise.all([loadWallet(network), prepare(fields, signal)]);
    const intent = wallet.checkIntent(asked, { prompt, terms, user: account.address, network });
    if (account.kind !== "development") {
      await confirmed(key, {
        model: intent.model,
        paymentWei: intent.payment,
        validator: intent.validator,
        deadline: Number(intent.deadline) * 1000,
      });
    }
    changeTurn(key, ({ confirmation: _, ...current }) => ({ ...current, stage: "signing" }));
    const { signature, requestId } = await wallet.signIntent(intent, account);
    signal.throwIfAborted();
    changeTurn(key, (current) => ({ ...current, stage: "running", requestId }));
    announce("Sent. The answer is being written.");
    const writer = new TurnWriter(key);
    try {
      const response = await post(
        "/api/chat",
        { message: prompt, thread_id: found.thread.id, intent, signature, salt: asked.salt },
        signal,
        "text/event-stream",
      );
      if (response.body) await readStream(response.body, writer);
    } catch (error) {
      if (error instanceof Refusal || signal.aborted) throw error;
    }
    if (!writer.ended && !signal.aborted) await followAccepted(requestId, writer, signal);
  });
}

/** A broken stream says nothing about the request: it goes on where the keeper has taken it, and else never began. */
async function followAccepted(requestId: Hex, writer: TurnWriter, signal: AbortSignal): Promise<void> {
  if (writer.next === 0) {
    const response = await fetch(`/api/llm/status/${requestId}`, { signal }).catch(() => undefined);
    if (response?.status === 404) throw new UnknownRequest();
  }
  await followRequest(requestId, writer, signal);
}

async function guarded(key: string, asker: Asker, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  running.set(key, controller);
  let problem: Problem | undefined;
  try {
    await work(controller.signal);
  } catch (error) {
    if (error instanceof Shortfall) problem = error.problem;
    else if (!controller.signal.aborted) problem = problemOf(error);
  }
  running.delete(key);
  changeTurn(key, ({ confirmation: _, ...turn }) => {
    if (turn.outcome) return turn;
    if (problem) {
      const { requestId: __, ...unsent } = turn;
      return { ...(turn.phases.length > 0 ? turn : unsent), stage: "stopped", problem };
    }
    const unsent: Problem = {
      kind: "unsent",
      title: "Not sent",
      detail: "You stopped before it was signed. Nothing was charged.",
    };
    return turn.requestId ? { ...turn, stage: "stopped" } : { ...turn, stage: "stopped", problem: unsent };
  });
  if (problem) announce(`${problem.title}. ${problem.detail}`);
  refreshAccount(asker.account.address);
}

class Shortfall extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/** Nobody is asked to sign what their credits cannot pay. */
async function checkCredits(terms: Terms, address: Hex): Promise<void> {
  const balances = await queries.fetchQuery({ ...balancesQuery(address), staleTime: 0 });
  const credits = BigInt(balances.nsd.credits_wei);
  const required = BigInt(terms.paymentWei);
  if (credits < required) throw new Shortfall(creditsProblem(required, credits));
}

async function prepare(
  fields: Record<string, unknown>,
  signal: AbortSignal,
): Promise<Required<Pick<NonNullable<ErrorBody["error"]>, "typed_data" | "salt">>> {
  try {
    await post("/api/chat", { ...fields, prepare: true }, signal, "application/json");
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "signature_required") throw error;
    const { typed_data, salt } = error.details;
    if (typed_data && salt) return { typed_data, salt };
  }
  throw new Error("The keeper did not say what to sign.");
}

function fieldsOf(prompt: string, terms: Terms, threadId: string, asker: Asker): Record<string, unknown> {
  return {
    message: prompt,
    user_address: asker.account.address,
    thread_id: threadId,
    model: terms.model ?? asker.network.model,
    max_tokens: terms.maxTokens,
    temperature: terms.temperature,
    nsd_payment: plain(BigInt(terms.paymentWei)),
    priority: terms.priority,
  };
}

async function confirmed(key: string, confirmation: Confirmation): Promise<void> {
  const agreed = await new Promise<boolean>((resolve) => {
    decisions.set(key, resolve);
    changeTurn(key, (turn) => ({ ...turn, stage: "confirming", confirmation }));
  });
  if (!agreed) throw new Declined();
}
