/** What the HTTP layer can be told. Everything has a value that suits one machine. */
export interface HttpSettings {
  /** Address under which clients reach the keeper, where that is not the `Host` they used. No slash at the end. */
  readonly publicUrl?: string | undefined;
  /** A block explorer, for links such as `<explorer>/tx/<hash>`. */
  readonly explorerUrl?: string | undefined;
  /** Origins beside its own that the page may connect to: the chain's RPC. */
  readonly connectSources: readonly string[];
  /** Proxies whose word on the client's address is taken: addresses, or ranges such as 10.0.0.0/8. */
  readonly trustedProxies: readonly string[];
  readonly bodyLimit: number;
  /** Requests of one address in a minute, and those of them that may spend. */
  readonly requestsPerMinute: number;
  readonly spendingPerMinute: number;
  /** How long a chat that is not streamed waits for its answer, and after that for its settlement. */
  readonly answerTimeoutMs: number;
  readonly settlementTimeoutMs: number;
  /** How long a route may take, beside what it is made to wait for. */
  readonly handlerTimeoutMs: number;
  /** How long a submission may take to be mined. */
  readonly submissionTimeoutMs: number;
  /** How long a stream follows a request before it says `pending`. */
  readonly streamTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly socketsPerAddress: number;
  readonly subscriptionsPerSocket: number;
  readonly socketPayloadLimit: number;
  /** Bytes that may wait for a reader who does not read. */
  readonly socketBufferLimit: number;
  /** How long headers, and a whole request, may take to arrive. */
  readonly headersTimeoutMs: number;
  readonly requestTimeoutMs: number;
}

const DEFAULTS: HttpSettings = {
  connectSources: [],
  trustedProxies: [],
  bodyLimit: 256 * 1024,
  requestsPerMinute: 1_200,
  spendingPerMinute: 240,
  answerTimeoutMs: 120_000,
  settlementTimeoutMs: 15_000,
  handlerTimeoutMs: 30_000,
  submissionTimeoutMs: 120_000,
  streamTimeoutMs: 600_000,
  heartbeatMs: 15_000,
  socketsPerAddress: 128,
  subscriptionsPerSocket: 64,
  socketPayloadLimit: 16 * 1024,
  socketBufferLimit: 1024 * 1024,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
};

export function httpSettings(given: Partial<HttpSettings> = {}): HttpSettings {
  return { ...DEFAULTS, ...given };
}
