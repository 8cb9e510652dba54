import { pino } from "pino";
import { openLocalEngine } from "../../../keeper/inference/local-engine.ts";

/** A process that holds an engine, to be killed by the test that started it. */
const [path = ""] = process.argv.slice(2);
const logger = pino({ level: "silent" });
const engine = await openLocalEngine({ model: { path, sha256: "" }, gpu: false, threads: 1, logger });
process.stdout.write(`${engine.health().workerPid}\n`);
await engine.generate({
  requestId: `0x${"1".repeat(64)}`,
  messages: [{ role: "user", content: "Hello" }],
  maxTokens: 100_000,
  temperature: 100,
});
