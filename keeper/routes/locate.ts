/** `GET /api/account/:address`: every unit that the protocol holds for an address, and how it is had. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import { amount } from "../http/amounts.ts";
import { ErrorOut } from "../http/answers.ts";
import { AccountOut } from "../http/answers-reads.ts";
import { address } from "../http/ask.ts";
import { once } from "../http/once.ts";
import { AddressParams, NoQuery } from "../http/schemas.ts";
import type { Located, NetworkInfo, Position, Services } from "../services/types.ts";

const CONTRACTS_KEPT_MS = 5_000;

export function registerLocate(app: FastifyInstance, { reads }: Services): void {
  const contracts = once(CONTRACTS_KEPT_MS, async () => (await reads.network()).contracts);
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/api/account/:address",
    {
      schema: {
        summary: "Where everything of an address is",
        tags: ["Account"],
        params: AddressParams,
        querystring: NoQuery,
        response: { 200: AccountOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request, reply) => {
      const located = await reads.locate(address(request.params.address));
      return reply.header("cache-control", "no-store").send(presentLocated(located, await contracts()));
    },
  );
}

function presentLocated({ address, block, at, positions }: Located, contracts: NetworkInfo["contracts"]) {
  const sum = (token: Position["token"]): bigint =>
    positions.filter((position) => position.token === token).reduce((total, { amount }) => total + amount, 0n);
  return {
    address,
    block: Number(block),
    at: at.toISOString(),
    totals: {
      ...amount("nsd", sum("NSD")),
      ...amount("nst", sum("NST")),
      ...amount("lcai", sum("LCAI")),
      ...amount("choir", sum("CHOIR")),
    },
    positions: positions.map((position) => ({
      token: position.token,
      kind: position.kind,
      ...amount("amount", position.amount),
      contract: position.contract,
      contract_address: contracts[position.contract],
      available_at: position.availableAt?.toISOString() ?? null,
      call: position.call ?? null,
      by: position.by,
      ...(position.id === undefined ? {} : { id: position.id }),
      note: position.note,
    })),
  };
}
