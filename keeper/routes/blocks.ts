/** `GET /ipfs/:cid`: the bytes that a digest on chain speaks of. */
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { CID } from "multiformats/cid";
import Type from "typebox";
import { ErrorOut } from "../http/answers.ts";
import { BlockParams, BlockQuery } from "../http/schemas.ts";
import { INERT_POLICY } from "../http/security.ts";
import { ApiError } from "../services/errors.ts";
import type { Services } from "../services/types.ts";

const RAW = "application/vnd.ipld.raw";
const JSON_TYPE = "application/json; charset=utf-8";

const Block = {
  description: "The bytes",
  content: {
    [RAW]: { schema: Type.String({ format: "binary" }) },
    "application/json": { schema: Type.Object({}, { additionalProperties: true }) },
  },
};

export function registerBlocks(app: FastifyInstance, { reads }: Services): void {
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    "/ipfs/:cid",
    {
      schema: {
        summary: "A stored block",
        description: "The block's bytes, whose SHA-256 is the CID's digest; as JSON where the block is a record.",
        tags: ["Follow"],
        params: BlockParams,
        querystring: BlockQuery,
        response: { 200: Block, 404: ErrorOut, "4xx": ErrorOut, "5xx": ErrorOut },
      },
    },
    async (request, reply) => {
      const cid = canonical(request.params.cid);
      const block = await reads.block(cid);
      if (block === undefined) {
        throw new ApiError(
          404,
          "block_not_found",
          "This keeper does not hold that block. Check the CID, or ask another gateway.",
          { field: "cid" },
        );
      }
      const raw = request.query.format === "raw" || wantsRaw(request) || !isRecord(block);
      const etag = `"${cid}${raw ? ".raw" : ".json"}"`;
      reply
        .header("cache-control", "public, max-age=31536000, immutable")
        .header("etag", etag)
        .header("vary", "Accept")
        .header("x-ipfs-path", `/ipfs/${cid}`)
        .header("content-security-policy", INERT_POLICY)
        .type(raw ? RAW : JSON_TYPE);
      if (raw) reply.header("content-disposition", `attachment; filename="${cid}.bin"`);
      if (request.headers["if-none-match"]?.split(/, */).some((tag) => tag === etag || tag === "*"))
        return reply.code(304).send(undefined as never);
      return reply.send(Buffer.from(block.buffer, block.byteOffset, block.byteLength) as never);
    },
  );
}

function canonical(text: string): string {
  try {
    return CID.parse(text).toV1().toString();
  } catch {
    throw new ApiError(400, "invalid_cid", "That is no CID. Take it from `cid` in an answer.", {
      field: "cid",
      expected: "a CID, version 1",
    });
  }
}

function wantsRaw(request: FastifyRequest): boolean {
  return (request.headers.accept ?? "").includes(RAW);
}

function isRecord(block: Uint8Array): boolean {
  // Records are canonical JSON that begins with its first key.
  if (block[0] !== 0x7b) return false;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(block));
    return (
      typeof value === "object" &&
      value !== null &&
      String((value as { schema?: unknown }).schema).startsWith("neuroswarm.record/")
    );
  } catch {
    return false;
  }
}
