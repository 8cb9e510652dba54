import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gpuNotice } from "../../inference/gpu.ts";
import { USER_INDEXES, userAddress } from "../accounts.ts";
import { buildPage, WEB_ROOT } from "../build.ts";
import { CliError, complain, dim, Steps, say, seconds, warn } from "../console.ts";
import { claim, dataFolder, setAside } from "../data-folder.ts";
import { isLoopback } from "../ports.ts";
import { greet } from "./greeting.ts";
import { prepareChain } from "./ground.ts";
import { introduce, keeperOverrides, operate, serve } from "./keeper.ts";
import { chooseModel } from "./model.ts";
import { choosePort, overridesOf, type StartOptions, settingsOf } from "./plan.ts";
import { Running } from "./running.ts";
import { stopOnSignals } from "./signals.ts";
import { compile, page } from "./steps.ts";

const DEMO = {
  name: "demo-3m",
  path: fileURLToPath(new URL("../../demo-model/demo-3m.gguf", import.meta.url)),
};

/** `npm start`: everything from sources to a page that answers. Resolves with the exit code when it has stopped. */
export async function start(options: StartOptions): Promise<number> {
  const { signal } = stopOnSignals();
  const running = new Running();
  let up = false;
  try {
    const { ended } = await bringUp(options, signal, running);
    up = true;
    const reason = await ended;
    if (!signal.aborted) throw new CliError(reason);
  } catch (error) {
    if (!signal.aborted) {
      complain(error, options.verbose);
      return error instanceof CliError ? error.exitCode : 1;
    }
  } finally {
    await running.stop();
    if (signal.aborted) say(dim("Stopped."));
  }
  return up ? 0 : 130;
}

async function bringUp(
  options: StartOptions,
  signal: AbortSignal,
  running: Running,
): Promise<{ ended: Promise<string> }> {
  const began = Date.now();
  const settings = settingsOf(options);
  const folder = dataFolder(settings.dataDir);
  const claimed = await claim(folder);
  running.add(claimed.release);
  if (options.fresh) {
    if (settings.rpcUrls.some((rpcUrl) => !isLoopback(rpcUrl))) {
      throw new CliError(
        "--fresh is for development chains: what another one holds stays there, and its journal is needed.",
      );
    }
    const previous = await setAside(folder);
    if (previous !== undefined) say(dim(`Beginning anew; what was there is in ${previous} until the next --fresh.`));
  }
  const { port, moved } = await choosePort(settings, options);
  if (moved) warn(`Port ${settings.port} is in use: taking ${port}.`);
  const url = `http://${shownHost(settings.host)}:${port}`;

  const steps = new Steps(7);
  // The compiler has one core busy; the page is built on another meanwhile.
  const built = buildPage(signal);
  built.catch(() => undefined);
  await steps.run("Contracts", (step) => compile(step, signal));
  await steps.run("Page", (step) => page(step, built, signal));
  signal.throwIfAborted();
  const model = await steps.run("Model", async (step) => {
    const choice = {
      options,
      file: settings.modelFile,
      name: settings.modelName,
      dataDir: settings.dataDir,
      demo: DEMO,
    };
    const value = await chooseModel(step, choice, signal);
    return { said: `${value.name} ${dim(value.sha256.slice(0, 12))}`, value };
  });
  signal.throwIfAborted();
  const ground = await prepareChain(steps, settings, folder, running);
  signal.throwIfAborted();
  const validator = ground.development
    ? await introduce(steps, settings, ground, model, url)
    : await operate(steps, settings);
  signal.throwIfAborted();
  const lost = await serve(
    steps,
    keeperOverrides(overridesOf(options), { ground, model, validator, port }),
    url,
    running,
    signal,
  );
  await claimed.announce(url);

  const notice = await gpuNotice().catch(() => undefined);
  if (notice !== undefined) warn(notice);
  greet({
    url,
    startedIn: seconds(Date.now() - began),
    model: model.name,
    dataDir: settings.dataDir,
    user: ground.development ? userAddress(USER_INDEXES[0]) : undefined,
    page: existsSync(join(WEB_ROOT, "index.html")),
  });
  const stopped = aborted(signal).then(() => "stopped");
  const chainEnded = ground.lost.then((reason) => `The local chain ended: ${reason}`);
  const keeperEnded = aborted(lost).then(
    (reason) => `The keeper stopped: ${reason instanceof Error ? reason.message : String(reason)}`,
  );
  return { ended: Promise.race([stopped, chainEnded, keeperEnded]) };
}

/** The signal's reason, once it is aborted. */
const aborted = (signal: AbortSignal): Promise<unknown> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });

/** An address that listens on all of them is reached on this one. */
function shownHost(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}
