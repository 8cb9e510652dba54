/**
 * For whom the keeper signs as a development account. Anybody who can make a browser on this machine send a request
 * could otherwise spend for those accounts: a page of any origin can post to 127.0.0.1 (so `Origin` and
 * `Sec-Fetch-Site` must not speak of another site), a page can let its own name resolve to 127.0.0.1 (so the `Host`
 * must be a loopback name), and behind a proxy every client looks local (so there must be no trace of one). The
 * socket's own address counts, never one that a header claims.
 */
import { isIP } from "node:net";
import type { FastifyRequest } from "fastify";

const PROXY_HEADERS = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "forwarded", "via"];

export function mayUseDevelopmentKey(request: FastifyRequest): boolean {
  const { headers } = request;
  if (!isLoopback(request.socket.remoteAddress)) return false;
  if (PROXY_HEADERS.some((name) => headers[name] !== undefined)) return false;
  const host = headers.host;
  if (host === undefined || !isLoopbackName(host)) return false;
  const site = headers["sec-fetch-site"];
  if (site !== undefined && site !== "same-origin" && site !== "none") return false;
  return headers.origin === undefined || headers.origin === `http://${host}`;
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === "::1" || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/i.test(address);
}

function isLoopbackName(host: string): boolean {
  const name = host.replace(/:\d{1,5}$/, "").toLowerCase();
  return name === "localhost" || name === "[::1]" || (isIP(name) === 4 && name.startsWith("127."));
}

/** Where this client reached the keeper, for links: nothing of it is believed beyond its form. */
export function baseUrl(request: FastifyRequest, publicUrl: string | undefined): string {
  if (publicUrl !== undefined) return publicUrl.replace(/\/+$/, "");
  const host = request.headers.host;
  return host !== undefined && /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9.-]{1,253})(:\d{1,5})?$/.test(host)
    ? `http://${host}`
    : "";
}
