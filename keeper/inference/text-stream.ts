export type Detokenize = (tokens: readonly number[], preceding: readonly number[]) => string;

const REPLACEMENT = "\ufffd";
/** Tokenizers look back a few tokens to decide about a leading space. */
const LOOK_BACK = 4;

/**
 * Turns tokens into text of whole characters. A token may end in the middle of a character, which shows as U+FFFD at
 * the end of what is decoded so far: such text is held back until a later token completes it, or until the end.
 */
export class TextStream {
  readonly #detokenize: Detokenize;
  #held: number[] = [];
  #emitted: number[] = [];

  constructor(detokenize: Detokenize) {
    this.#detokenize = detokenize;
  }

  push(token: number): string {
    this.#held.push(token);
    const text = this.#detokenize(this.#held, this.#emitted);
    if (text.endsWith(REPLACEMENT)) return "";
    this.#emitted = [...this.#emitted, ...this.#held].slice(-LOOK_BACK);
    this.#held = [];
    return text;
  }

  end(): string {
    if (this.#held.length === 0) return "";
    const text = this.#detokenize(this.#held, this.#emitted);
    this.#held = [];
    return text;
  }
}
