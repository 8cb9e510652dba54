import type { Command } from "commander";
import { type Hex, parseEther } from "viem";
import { ChatError, EXIT, KeeperClient } from "./chat-client.ts";
import { accountOf, ending, urlOf, usage } from "./client-options.ts";
import { type Answer, painter, printable, summary } from "./format.ts";
import { checkTypedData, type Network, type Question, signTypedData } from "./typed-data.ts";

interface Options {
  readonly url?: string;
  readonly json?: boolean;
  readonly account: string;
  readonly key?: string;
  readonly maxTokens: string;
  readonly temperature: string;
  readonly payment?: string;
  readonly model?: string;
  readonly priority?: boolean;
}

const HELP = `
Without --key a development account asks, which a keeper on a local chain gives credits for.

Ends with 0 when answered, 1 when the request failed, 2 for wrong arguments, 3 when no keeper
answers, 4 when the credits do not cover the payment.`;

/** `neuroswarm chat "question"`: asks a running keeper, signs for it, and shows where every NSD went. */
export function registerChatCommand(program: Command): void {
  program
    .command("chat")
    .description("ask a question, and see what it cost and earned")
    .argument("[question...]", "the question; read from the standard input when absent")
    .option("--url <url>", "address of the keeper; the one that was started on this machine when absent")
    .option("--json", "print one JSON object and nothing else")
    .option("--account <n>", "number of the development account that asks, 0 to 9", "0")
    .option("--key <key>", "private key that asks: 0x and 64 hex digits, or a file that holds it")
    .option("--max-tokens <n>", "length of the answer at most, 1 to 2048", "500")
    .option("--temperature <t>", "0 for the likeliest answer, up to 2", "0.7")
    .option("--payment <nsd>", "the most it may cost in NSD; what the length costs when absent")
    .option("--model <name>", "the model; the keeper's own when absent")
    .option("--priority", "be answered before others, for half again as much")
    .addHelpText("after", HELP)
    .action((words: string[], options: Options) => ending(options, () => chat(words, options)));
}

async function chat(words: readonly string[], options: Options): Promise<number> {
  const account = accountOf(options);
  const asked = readOptions(await questionOf(words), options);
  const keeper = new KeeperClient(await urlOf(options));
  const network = await keeper.get<Network>("/api/network");
  if (!network.local && options.key === undefined) {
    throw new ChatError(
      "key_required",
      `This keeper works on chain ${network.chain_id}, where a development account has nothing.`,
      EXIT.usage,
      "Name the key that asks with --key.",
    );
  }
  const question = await priced(keeper, { ...asked, model: asked.model ?? network.model });
  const body = bodyOf(question, account.address);
  const { typed_data, salt } = await keeper.prepare(body);
  checkTypedData(typed_data, question, network, account.address, salt);
  const signature = await signTypedData(account, typed_data);
  const signed = { message: question.message, intent: typed_data.message, signature, salt };
  const screen = new Screen();
  const answer = await keeper.chat(signed, options.json ? () => {} : (event, data) => screen.show(event, data));
  return options.json ? printJson(answer, account.address) : screen.finish(answer);
}

async function questionOf(words: readonly string[]): Promise<string> {
  let text = words.join(" ");
  if (text.trim() === "" && process.stdin.isTTY !== true) {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    text = Buffer.concat(chunks).toString("utf8");
  }
  if (text.trim() === "") throw usage("There is no question.", 'Ask one: neuroswarm chat "What is NeuroSwarm?"');
  return text.trim();
}

type Asked = Omit<Question, "payment" | "model"> & {
  readonly payment: bigint | undefined;
  readonly model: string | undefined;
};

function readOptions(message: string, options: Options): Asked {
  const maxTokens = /^[0-9]{1,4}$/.test(options.maxTokens) ? Number(options.maxTokens) : 0;
  if (maxTokens < 1 || maxTokens > 2048) throw usage("--max-tokens must be a whole number from 1 to 2048.");
  if (!/^(0|1)(\.[0-9]{1,2})?$|^2(\.00?)?$/.test(options.temperature))
    throw usage("--temperature must be 0 to 2, in steps of 0.01.");
  if (options.payment !== undefined && !/^[0-9]{1,10}(\.[0-9]{1,18})?$/.test(options.payment)) {
    throw usage("--payment must be NSD with at most 18 decimals, such as 50 or 12.5.");
  }
  return {
    message,
    maxTokens,
    temperature: Math.round(Number(options.temperature) * 100),
    payment: options.payment === undefined ? undefined : parseEther(options.payment),
    model: options.model,
    priority: options.priority === true,
  };
}

/** The most that it may cost is known, and signed, before it is asked. */
async function priced(keeper: KeeperClient, asked: Asked & { readonly model: string }): Promise<Question> {
  if (asked.payment !== undefined) return { ...asked, payment: asked.payment };
  const { model, maxTokens, priority } = asked;
  const query = new URLSearchParams({ model, max_tokens: String(maxTokens), priority: String(priority) });
  const { cost_wei, minimum_wei } = await keeper.get<{ cost_wei: string; minimum_wei: string }>(`/api/quote?${query}`);
  const [cost, minimum] = [BigInt(cost_wei), BigInt(minimum_wei)];
  return { ...asked, payment: cost < minimum ? minimum : cost };
}

function bodyOf({ message, model, maxTokens, temperature, payment, priority }: Question, user: Hex): object {
  const decimal = `${payment / 10n ** 18n}.${(payment % 10n ** 18n).toString().padStart(18, "0")}`;
  return {
    message,
    user_address: user,
    model,
    max_tokens: maxTokens,
    temperature: temperature / 100,
    nsd_payment: decimal,
    priority,
  };
}

/** The answer as it comes, and a line that vanishes while it is settled. */
class Screen {
  readonly #paint = painter(process.stdout, process.env);
  readonly #live = process.stdout.isTTY === true && process.env["TERM"] !== "dumb";
  #settling = false;

  show(event: string, data: Record<string, unknown>): void {
    if (event === "token") process.stdout.write(printable(String(data["token"])));
    if (event !== "phase" || data["phase"] !== "answered" || !this.#live) return;
    process.stdout.write(`\n\n${this.#paint.dim("  settling …")}`);
    this.#settling = true;
  }

  finish(answer: Answer): number {
    process.stdout.write(this.#settling ? "\r\u001b[K" : "\n\n");
    if (answer.status === "failed") {
      const { code, message } = answer.error ?? { code: "request_failed", message: "The request failed." };
      throw new ChatError(code, message, EXIT.failed, undefined, { request_id: answer.request_id });
    }
    process.stdout.write(`${summary(answer, this.#paint).join("\n")}\n`);
    return 0;
  }
}

function printJson(answer: Answer, user: Hex): number {
  process.stdout.write(`${JSON.stringify({ ...answer, user_address: user })}\n`);
  return answer.status === "failed" ? EXIT.failed : 0;
}
