/** Brings sessions to the chain: their openings, the receipts that are due, and their ends. */
import { encodeFunctionData, type Hex } from "viem";
import { routerAbi } from "../../chain/contracts.ts";
import { OnChainError } from "../../chain/errors.ts";
import { type Session, sessionId, sessionOnChain } from "../../chain/sessions.ts";
import { markSettled, openOfSession } from "../../database/requests.ts";
import type { SessionPatch, SessionRow } from "../../database/sessions.ts";
import * as journal from "../../database/sessions.ts";
import { getTransaction, lastForPurpose, type TransactionRow } from "../../database/transactions.ts";
import { type Context, chainNow } from "../context.ts";
import { KeyedMutex } from "../mutex.ts";
import type { Outcomes } from "../outcomes.ts";
import { requireUpToDate } from "../up-to-date.ts";
import { isUnpaid, type SessionBook } from "./book.ts";
import { decideSession } from "./decide.ts";

/**
 * Seconds after which the contract is asked again for what it refused, at the sweep that follows: the first one, then ever later. Before a
 * session's end there is time for two.
 */
const FIRST_RETRY = 25;
const LONGEST_RETRY = 100;
/** Seconds in which an opening that the chain dropped may come back with a time before its deadline. */
const COMES_BACK_WITHIN = 600;
const UNPAID = "Nobody paid for this answer before its session ended, so it was not told.";

export interface SettlerParts {
  readonly book: SessionBook;
  readonly outcomes: Outcomes;
  /** Looks at a prompt again. */
  readonly poke: (key: Hex) => void;
}

type Purpose = "open" | "settle" | "close";
const purposeOf = (what: Purpose, id: Hex): string => `${what}-session:${id}`;

export class SessionSettler {
  readonly #context: Context;
  readonly #parts: SettlerParts;
  readonly #locks = new KeyedMutex();
  readonly #steps = new Set<Promise<void>>();
  /** What the contract refused, and how long it rests: by whichever clock is first, since a pause ends by the chain's. */
  readonly #resting = new Map<Hex, { readonly seconds: number; readonly chain: number; readonly machine: number }>();

  constructor(context: Context, parts: SettlerParts) {
    this.#context = context;
    this.#parts = parts;
    context.sender.onResolved(({ id }) => void this.#resolved(id));
  }

  /** Looks at one session soon. */
  poke(id: Hex, starting = false): void {
    if (this.#context.signal.aborted) return;
    const step = this.advance(id, starting).catch((error: unknown) => {
      this.#context.log.warn({ err: error, session: id }, "a session does not move; it will be looked at again");
    });
    this.#steps.add(step);
    void step.finally(() => this.#steps.delete(step));
  }

  /** Looks at every session that is not closed: now and then, and after a start, when all that is owed is settled. */
  async sweep(starting = false): Promise<void> {
    const { database, operator } = this.#context;
    for (const { id } of await journal.openSessions(database, operator)) if (!this.#rests(id)) this.poke(id, starting);
  }

  #rests(id: Hex): boolean {
    const resting = this.#resting.get(id);
    return resting !== undefined && chainNow(this.#context) < resting.chain && Date.now() < resting.machine;
  }

  /** Blocks from `block` on were dropped, and those that closed a session may be among them. Before their positions are. */
  async reopen(block: bigint): Promise<void> {
    const { database, operator } = this.#context;
    await journal.reopenFrom(database, operator, block);
  }

  async stop(): Promise<void> {
    await Promise.allSettled([...this.#steps]);
  }

  /** Sends the opening that its user signed; it is journaled together with its transaction. */
  async open(session: Session, signature: Hex, tokenHash: string | null): Promise<Hex> {
    const { chain, deployment, sender } = this.#context;
    const { router } = deployment.addresses;
    const id = sessionId(chain.id, router, session);
    const args = [sessionOnChain(session), signature] as const;
    const data = encodeFunctionData({ abi: routerAbi, functionName: "openSession", args });
    await sender.send({ purpose: purposeOf("open", id), to: router, data }, async (sql, transactionId) => {
      await journal.insertSession(sql, id, session, { stage: "opening", tokenHash, createdAt: Date.now() });
      await journal.updateSession(sql, id, { transactionId });
    });
    this.#context.wake();
    return id;
  }

  /** Whether its opening was sent before, and lay open to everybody with the signature in it. */
  async wasSent(id: Hex): Promise<boolean> {
    const { database, operator } = this.#context;
    return (await lastForPurpose(database, operator, purposeOf("open", id))) !== undefined;
  }

  /** As the chain has it: a session that an endpoint does not show yet is not over for that. */
  async view(id: Hex) {
    const { chain, deployment } = this.#context;
    const address = deployment.addresses.router;
    const [view] = await Promise.all([
      chain.client.readContract({ address, abi: routerAbi, functionName: "sessionOf", args: [id] }),
      requireUpToDate(this.#context),
    ]);
    return view;
  }

  /** Whether one that the chain does not show as open was closed there; else a reorganisation has dropped its opening. */
  async isClosed(id: Hex): Promise<boolean> {
    await this.#context.catchUp();
    return journal.isClosedOnChain(this.#context.database, id);
  }

  /** Takes a session as far as it goes without waiting. */
  advance(id: Hex, starting = false): Promise<void> {
    return this.#locks.run(id, async () => {
      const { database, hub } = this.#context;
      const row = await journal.getSession(database, id);
      if (row === undefined || row.stage === "closed") return;
      const transaction = row.transactionId === null ? undefined : await getTransaction(database, row.transactionId);
      if (transaction?.state === "written" || transaction?.state === "sent") return;
      const seen = await this.#see(row, transaction);
      // What a prompt is paid by must not change while it is decided which receipt to settle.
      if (seen) await this.#parts.book.run(id, () => this.#act(id, starting));
      if (transaction !== undefined) for (const { key } of await openOfSession(database, id)) this.#parts.poke(key);
      hub.changed(id);
    });
  }

  /** What the chain says is written down. False where there is nothing left to do. */
  async #see(row: SessionRow, transaction: TransactionRow | undefined): Promise<boolean> {
    const { database } = this.#context;
    const view = await this.view(row.id);
    if (!view.open) {
      await this.#notOpen(row, transaction);
      return false;
    }
    const settledPrompts = Number(view.count);
    const moved = settledPrompts > row.settledPrompts;
    const patch: SessionPatch = {
      // Else it is not for the chain to say: its user may have asked for its end meanwhile.
      ...(row.stage === "opening" ? { stage: "open" as const } : {}),
      transactionId: null,
      endsAt: Number(view.endsAt),
      settled: view.settled,
      settledPrompts,
      ...(moved ? { unsettledSince: row.prompts > settledPrompts ? Date.now() : null, error: null } : {}),
      ...(moved && transaction?.minedHash ? { settleTx: transaction.minedHash } : {}),
    };
    await journal.updateSession(database, row.id, patch);
    if (moved && transaction?.minedHash)
      await markSettled(database, row.id, settledPrompts, transaction.minedHash, Date.now());
    return true;
  }

  async #notOpen(row: SessionRow, transaction: TransactionRow | undefined): Promise<void> {
    const { database, operator, log } = this.#context;
    if (await this.isClosed(row.id)) return this.#over(row, transaction);
    const opening = await lastForPurpose(database, operator, purposeOf("open", row.id));
    if (opening?.state === "written" || opening?.state === "sent") {
      // Looked at again when it is mined.
      return journal.updateSession(database, row.id, { transactionId: opening.id });
    }
    const mayComeBack = opening === undefined && chainNow(this.#context) <= Number(row.deadline) + COMES_BACK_WITHIN;
    if (mayComeBack || opening?.minedStatus === "success") return;
    // An opening that did not come to be leaves nothing behind: its user may sign another.
    if (row.stage === "opening") return journal.deleteSession(database, row.id);
    log.warn({ session: row.id, spent: row.spent }, "the chain dropped a session's opening for good");
    await this.#over(row, transaction);
  }

  async #over(row: SessionRow, transaction: TransactionRow | undefined): Promise<void> {
    const { database } = this.#context;
    const ours = transaction?.purpose === purposeOf("close", row.id) ? transaction.minedHash : null;
    this.#resting.delete(row.id);
    await journal.updateSession(database, row.id, {
      stage: "closed",
      transactionId: null,
      closeTx: ours ?? row.closeTx,
    });
    for (const open of await openOfSession(database, row.id))
      await this.#parts.outcomes.giveUp(open.key, "unpaid", UNPAID);
  }

  async #act(id: Hex, starting: boolean): Promise<void> {
    const { database, settings } = this.#context;
    const row = await journal.getSession(database, id);
    if (row === undefined) return;
    const now = chainNow(this.#context);
    let open = await openOfSession(database, row.id);
    if (row.stage === "closing" || now >= row.endsAt) {
      // Who closes has had the bill for it.
      for (const { key } of open.filter(isUnpaid)) await this.#parts.outcomes.giveUp(key, "unpaid", UNPAID);
      open = open.filter((request) => !isUnpaid(request));
    }
    const reserved = open.reduce((sum, request) => sum + (request.price ?? request.payment), 0n);
    const facts = { now, reserved, underWay: open.length, settleFrom: settings.sessionSettleFrom, starting };
    const decision = decideSession(row, facts);
    if (decision.action === "settle") {
      const { signature, count, total, root } = decision.receipt;
      const args = [sessionOnChain(row), { count, total, root }, signature] as const;
      await this.#send(row, "settle", encodeFunctionData({ abi: routerAbi, functionName: "settleSession", args }));
    } else if (decision.action === "close") {
      const args = [sessionOnChain(row)] as const;
      await this.#send(row, "close", encodeFunctionData({ abi: routerAbi, functionName: "closeSession", args }));
    } else if (row.error !== null && row.stage === "open") {
      // Nothing is left of what the contract refused.
      await journal.updateSession(database, row.id, { error: null });
    }
  }

  async #send(row: SessionRow, what: Exclude<Purpose, "open">, data: Hex): Promise<void> {
    const { database, deployment, sender, wake } = this.#context;
    try {
      await sender.send(
        { purpose: purposeOf(what, row.id), to: deployment.addresses.router, data },
        async (sql, transactionId) => journal.updateSession(sql, row.id, { transactionId, error: null }),
      );
      this.#resting.delete(row.id);
      wake();
    } catch (error) {
      if (!(error instanceof OnChainError)) throw error;
      this.#context.log.warn({ err: error, session: row.id, what }, "the contract does not take it now");
      // Somebody has closed it since it was looked at, which the next look finds.
      if (error.errorName === "RouterUnknownSession") return;
      const seconds = Math.min((this.#resting.get(row.id)?.seconds ?? FIRST_RETRY / 2) * 2, LONGEST_RETRY);
      const [chain, machine] = [chainNow(this.#context) + seconds, Date.now() + seconds * 1_000];
      this.#resting.set(row.id, { seconds, chain, machine });
      await journal.updateSession(database, row.id, { error: error.errorName });
    }
  }

  async #resolved(transactionId: number): Promise<void> {
    try {
      const row = await journal.sessionCarriedBy(this.#context.database, transactionId);
      if (row) this.poke(row.id);
    } catch (error) {
      this.#context.log.warn({ err: error, transactionId }, "a session will be looked at later");
    }
  }
}
