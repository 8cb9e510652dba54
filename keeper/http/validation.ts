/** Checks what came in against the route's schema, and says in a sentence what is wrong with it. */
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { ApiError } from "../services/errors.ts";
import { checkText } from "./json.ts";

/** What a schema says beside JSON Schema, for the sentence to the client. */
interface Hint {
  readonly "x-code"?: string;
  readonly "x-expected"?: string;
  readonly properties?: Readonly<Record<string, Hint & { type?: string }>>;
  readonly type?: string;
}

interface Problem {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

const PLACES: Readonly<Record<string, string>> = {
  body: "body",
  querystring: "query",
  params: "path",
  headers: "headers",
};

export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const part = httpPart ?? "body";
  return (value: unknown) => {
    try {
      const candidate = part === "body" ? value : fromText(schema as Hint, value);
      if (check.Check(candidate)) return { value: candidate };
      const problems = check.Errors(candidate) as unknown as Problem[];
      return { error: explain(problems, schema as Hint, candidate, PLACES[part] ?? part) };
    } catch (error) {
      // Fastify takes what a validator throws for its own failure, and answers 500.
      if (error instanceof ApiError) return { error };
      throw error;
    }
  };
};

/** Queries and paths are text. Only the plain spelling of a number or a boolean is taken for one. */
function fromText(schema: Hint, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return {};
  const converted: Record<string, unknown> = Object.create(null);
  for (const [key, text] of Object.entries(value)) {
    const type = schema.properties?.[key]?.type;
    if (typeof text !== "string") converted[key] = text;
    else if (type === "integer" && /^-?(0|[1-9][0-9]{0,14})$/.test(text)) converted[key] = Number(text);
    else if (type === "boolean" && (text === "true" || text === "false")) converted[key] = text === "true";
    else {
      checkText(text, key);
      converted[key] = text;
    }
  }
  return converted;
}

function explain(problems: readonly Problem[], schema: Hint, value: unknown, place: string): ApiError {
  const [first] = problems.filter((problem) => problem.keyword !== "boolean");
  if (!first) return new ApiError(400, "invalid_field", `The ${place} is not what this address takes. See /docs.`);
  const path = first.instancePath.split("/").slice(1).map(plainToken);
  if (first.keyword === "additionalProperties") return unknownField(first, schema, path, place);
  if (first.keyword === "required") {
    const [missing] = (first.params as { requiredProperties: string[] }).requiredProperties;
    return missingField([...path, missing ?? ""].join("."), at(schema, [...path, missing ?? ""])?.["x-expected"]);
  }
  if (path.length === 0) {
    return new ApiError(400, "invalid_field", `The ${place} must be a JSON object.`, { expected: "object" });
  }
  return wrongValue(path, at(schema, path) ?? {}, valueAt(value, path), first.message);
}

export function missingField(field: string, expected?: string): ApiError {
  return new ApiError(400, "missing_field", `"${field}" is missing${expected ? `: send ${expected}` : ""}.`, {
    field,
    ...(expected === undefined ? {} : { expected }),
  });
}

function unknownField(problem: Problem, schema: Hint, path: readonly string[], place: string): ApiError {
  const unknown = (problem.params as { additionalProperties: string[] }).additionalProperties;
  const field = [...path, unknown[0]].join(".");
  const accepted = Object.keys(at(schema, path)?.properties ?? {});
  const known = accepted.length > 0 ? ` Those there are: ${accepted.join(", ")}.` : " It takes none.";
  return new ApiError(400, "unknown_field", `The ${place} has no field "${shorten(field)}".${known}`, {
    field: shorten(field),
    accepted,
  });
}

function wrongValue(path: readonly string[], hint: Hint, value: unknown, fallback: string): ApiError {
  const field = path.join(".");
  const expected = hint["x-expected"] ?? fallback.replace(/^must (be|match) /, "");
  const code = hint["x-code"] ?? "invalid_field";
  return new ApiError(400, code, `"${field}" must be ${expected}${found(code, value)}.`, { field, expected });
}

function found(code: string, value: unknown): string {
  if (typeof value !== "string" || code !== "invalid_address") return "";
  const digits = /^0x([0-9a-fA-F]*)$/.exec(value)?.[1]?.length;
  return digits === undefined ? "" : `; this one has ${digits}`;
}

function at(schema: Hint, path: readonly string[]): Hint | undefined {
  return path.reduce<Hint | undefined>((hint, key) => hint?.properties?.[key], schema);
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

function plainToken(token: string): string {
  return token.replaceAll("~1", "/").replaceAll("~0", "~");
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
