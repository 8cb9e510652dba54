import type { Address } from "viem";
import { bold, dim, green, say } from "../console.ts";

export interface Greeting {
  readonly url: string;
  readonly startedIn: string;
  readonly model: string;
  readonly dataDir: string;
  /** A development account with credits, on a development chain. */
  readonly user: Address | undefined;
  readonly page: boolean;
}

/** Where it runs, and a first thing to try that works as it stands. */
export function greet({ url, startedIn, model, dataDir, user, page }: Greeting): void {
  say();
  say(`${green("NeuroSwarm is running")} ${dim(`after ${startedIn}, with ${model}`)}`);
  say();
  if (page) say(`  Page   ${bold(url)}`);
  say(`  API    ${page ? url : bold(url)}/docs`);
  say(`  Data   ${dataDir}`);
  say();
  if (user === undefined) {
    say(`Try it: npx neuroswarm chat --url ${url}`);
  } else {
    say("Try it:");
    say(`  curl ${url}/api/chat -H 'content-type: application/json' \\`);
    say(`    -d '{"message": "What is NeuroSwarm?", "user_address": "${user}"}'`);
  }
  say();
  say(dim("Ctrl-C stops it. What happened so far is kept; --fresh begins anew."));
}
