/** What a client did wrong, or has to wait for: a stable code, and a sentence that says what to do. */
export class ApiError extends Error {
  readonly statusCode: number;
  readonly code: string;
  /** Further fields of the body: `field`, `expected`, `typed_data`, `required_wei`, `onchain_error` and the like. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    statusCode: number,
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    retryAfterSeconds?: number,
  ) {
    super(message);
    this.name = "ApiError";
    this.statusCode = statusCode;
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
