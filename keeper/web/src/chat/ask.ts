import { spendable } from "../account/spendable.ts";
import { freshBalances, refreshAccount } from "../api/queries.ts";
import type { Hex, NetworkBody } from "../api/wire.ts";
import { announce } from "../ui/Announcer.tsx";
import type { Account } from "../wallet/session.ts";
import { loadWallet } from "../wallet/session.ts";
import { addTurn, adoptId, changeTurn, conversation, findTurn, removeTurn } from "./conversation.ts";
import {
  type Confirmation,
  currentOf,
  DEFAULT_TERMS,
  isAnswered,
  type Problem,
  type Terms,
  type Turn,
} from "./model.ts";
import { creditsProblem, Declined, ForeignRequest, problemOf, UnknownRequest } from "./problems.ts";
import { idOf, prepare, sendAssigned, sendDirect } from "./sending.ts";
import { followRequest, TurnWriter } from "./stream.ts";

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
  const { turn, thread } = found;
  const current = currentOf(thread.turns);
  if (current && !isAnswered(current)) {
    announce("Not sent: the question before it is not answered yet.");
    return;
  }
  const again = addTurn(turn.prompt, terms ?? wholeTerms(turn.terms), thread.id);
  if (!turn.requestId) removeTurn(key);
  void run(again, asker);
}

/** What the keeper's history tells of a request leaves out its length and its temperature. */
function wholeTerms(terms: Terms): Terms {
  return terms.maxTokens > 0 ? terms : { ...terms, ...DEFAULT_TERMS };
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

/** Leaves an account: nothing of it is sent any more, and what was sent is followed again when it comes back. */
export function leaveAll(): void {
  for (const key of running.keys()) {
    stopFollowing(key);
    changeTurn(key, (turn) => stopped(turn));
  }
  running.clear();
}

export function follow(key: string, asker: Asker): void {
  if (!findTurn(key)?.turn.requestId || running.has(key)) return;
  void guarded(key, asker, async (signal) => {
    changeTurn(key, ({ problem: _, ...turn }) => ({ ...turn, stage: "running" }));
    const writer = new TurnWriter(key);
    writer.restart();
    await followTurn(key, await nameTurn(key, asker, signal), asker, writer, signal);
  });
}

/** The id of a turn's request: the page may have been closed before it knew by which one the chain has it. */
export async function nameTurn(key: string, asker: Asker, signal: AbortSignal): Promise<Hex> {
  const { requestId, signed, terms } = findTurn(key)?.turn ?? {};
  if (!requestId) throw new UnknownRequest();
  if (terms?.lane !== "assigned") return requestId;
  const id = await idOf(requestId, signal);
  if (signed && id !== signed.digest) {
    const wallet = await loadWallet(asker.network);
    if (!wallet.isRequestOf(id, signed.intent)) throw new ForeignRequest();
  }
  adoptId(key, id);
  return id;
}

/** Follows a turn's request by an id that may be its digest: once it is queued or assigned the chain has named it. */
function followTurn(key: string, id: Hex, asker: Asker, writer: TurnWriter, signal: AbortSignal): Promise<void> {
  return followRequest(id, writer, signal, (phase) => {
    const { requestId, signed } = findTurn(key)?.turn ?? {};
    if ((phase === "queued" || phase === "assigned") && (!signed || requestId === signed.digest))
      void nameTurn(key, asker, signal).catch(() => undefined);
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
    const question = { prompt, terms, threadId: found.thread.id };
    const { account, network } = asker;
    const assigned = terms.lane === "assigned";
    await unlessStopped(checkCredits(terms, account.address), signal);
    const preparing = Promise.all([loadWallet(network), prepare(question, asker, signal)]);
    const [wallet, asked] = await unlessStopped(preparing, signal);
    const intent = wallet.checkIntent(asked, { prompt, terms, user: account.address, network });
    if (account.kind !== "development") {
      await confirmed(key, {
        model: intent.model,
        paymentWei: intent.payment,
        validator: assigned ? undefined : intent.validator,
        priority: intent.priority,
        deadline: Number(intent.deadline) * 1000,
      });
    }
    changeTurn(key, ({ confirmation: _, ...current }) => ({ ...current, stage: "signing" }));
    const { signature, requestId } = await unlessStopped(wallet.signIntent(intent, account), signal);
    changeTurn(key, (current) => ({
      ...current,
      stage: "running",
      requestId,
      signed: { digest: requestId, intent },
    }));
    announce(assigned ? "Sent. A validator is looked for." : "Sent. The answer is being written.");
    const signed = { intent, signature, salt: asked.salt };
    const writer = new TurnWriter(key);
    let id = requestId;
    if (assigned) {
      const isOurs = (named: Hex): boolean => wallet.isRequestOf(named, intent);
      id = await sendAssigned(question, signed, requestId, isOurs, signal);
      adoptId(key, id);
    } else await sendDirect(question, signed, requestId, writer, signal);
    if (!writer.ended && !signal.aborted) await followTurn(key, id, asker, writer, signal);
  });
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
  if (running.get(key) !== controller) return;
  running.delete(key);
  changeTurn(key, (turn) => stopped(turn, problem));
  if (problem) announce(`${problem.title}. ${problem.detail}`);
  refreshAccount(asker.account.address);
}

/** A turn that is not followed any more, because of a problem or of its reader. */
function stopped({ confirmation: _, ...turn }: Turn, problem?: Problem): Turn {
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
}

/** What may never come is not waited for once nobody follows it, and what comes of it then is left aside. */
function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
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
  const usable = spendable(await freshBalances(address), terms.lane);
  const required = BigInt(terms.paymentWei);
  if (usable < required) throw new Shortfall(creditsProblem(required, usable));
}

async function confirmed(key: string, confirmation: Confirmation): Promise<void> {
  const agreed = await new Promise<boolean>((resolve) => {
    decisions.set(key, resolve);
    changeTurn(key, (turn) => ({ ...turn, stage: "confirming", confirmation }));
  });
  if (!agreed) throw new Declined();
}
