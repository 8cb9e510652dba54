/** Endpoints often carry a key in their URL, and errors quote the URL: no log may pass that on. */
import { type Logger, stdSerializers } from "pino";
import type { Settings } from "../config.ts";

type Guarded = Pick<Settings, "rpcUrls" | "ipfsApiUrl" | "databaseUrl">;

/** Scheme, host and port; of what is no URL, nothing. */
function originOf(url: string): string {
  try {
    const { protocol, host } = new URL(url);
    return `${protocol}//${host}`;
  } catch {
    return "[hidden]";
  }
}

/** Replaces each configured URL in a text by its origin, as it was configured and as libraries write it. */
export function urlGuard({ rpcUrls, ipfsApiUrl, databaseUrl }: Guarded): (text: string) => string {
  const given = [...rpcUrls, ipfsApiUrl, databaseUrl].filter((url) => url !== undefined);
  const secrets = given.flatMap((url) => {
    const origin = originOf(url);
    return [url, URL.parse(url)?.href ?? url, url.replace(/\/+$/, "")]
      .filter((form) => form !== origin)
      .map((form) => [form, origin] as const);
  });
  // The longer first: one URL may begin with another.
  const ordered = secrets.sort(([a], [b]) => b.length - a.length);
  return (text) => ordered.reduce((result, [secret, origin]) => result.replaceAll(secret, origin), text);
}

function inEvery(value: unknown, guard: (text: string) => string, depth = 0): unknown {
  if (typeof value === "string") return guard(value);
  if (typeof value !== "object" || value === null || depth > 6) return value;
  if (Array.isArray(value)) return value.map((inner) => inEvery(inner, guard, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, inEvery(inner, guard, depth + 1)]));
}

/** The same log, whose errors name no more of the endpoints than their origin. */
export function guardedLog(log: Logger, settings: Guarded): Logger {
  const guard = urlGuard(settings);
  const err = (error: unknown): unknown => inEvery(error instanceof Error ? stdSerializers.err(error) : error, guard);
  return log.child({}, { serializers: { err, error: err } });
}
