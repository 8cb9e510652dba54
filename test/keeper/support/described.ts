/** Holds what the keeper answers against its own description. */
import { Value } from "typebox/value";
import { expect } from "vitest";

interface Schema {
  readonly [keyword: string]: unknown;
}
export interface Operation {
  readonly responses: Record<
    string,
    { readonly description?: string; readonly content?: Record<string, { readonly schema: Schema }> }
  >;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
  readonly summary?: string;
}
export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
}

/** What comes back is what the description promises, to the letter. */
export function expectDescribed(document: Document, path: string, method: string, status: number, body: unknown): void {
  const schema = document.paths[path]?.[method]?.responses[String(status)]?.content?.["application/json"]?.schema;
  expect(schema, `${method} ${path} ${status}`).toBeDefined();
  const strict = closed(schema ?? {});
  expect(Value.Errors(strict as never, body), `${method} ${path}`).toEqual([]);
}

/** Every object of a schema without room for fields that it does not name. */
function closed(schema: Schema): Schema {
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === "properties")
      return [
        key,
        Object.fromEntries(
          Object.entries(value as Record<string, Schema>).map(([name, inner]) => [name, closed(inner)]),
        ),
      ];
    if (key === "items") return [key, closed(value as Schema)];
    if (key === "anyOf") return [key, (value as Schema[]).map(closed)];
    return [key, value];
  });
  const copy = Object.fromEntries(entries);
  return copy["type"] === "object" && copy["additionalProperties"] === undefined
    ? { ...copy, additionalProperties: false }
    : copy;
}
