/** One JSON-RPC call without a client around it: the chain's host and its cleaner need four methods of anvil. */
export async function call<T>(
  url: string,
  method: string,
  params: readonly unknown[] = [],
  timeoutMs = 30_000,
): Promise<T> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const answer = (await response.json()) as { result?: T; error?: { message?: string } };
  if (answer.error) throw new Error(`${method}: ${answer.error.message ?? "failed"}`);
  return answer.result as T;
}
