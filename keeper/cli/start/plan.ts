import { type Overrides, readSettings, type Settings, SettingsError } from "../../config.ts";
import { CliError } from "../console.ts";
import { anyPort, firstFreePort, isFree } from "../ports.ts";

/** What `npm start` takes, as the command line has it. */
export interface StartOptions {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly fresh?: boolean;
  readonly model?: string;
  readonly modelName?: string;
  readonly lora?: readonly string[];
  readonly rpc?: string;
  readonly verbose?: boolean;
}

/** The command line as settings. Model and adapters may be URLs here: they are found before they become settings. */
export function overridesOf(options: StartOptions): Overrides {
  const log = options.verbose ? "debug" : process.env["LOG_LEVEL"] === undefined ? "warn" : undefined;
  const given: Record<string, string | undefined> = {
    PORT: options.port,
    HOST: options.host,
    DATA_DIR: options.data,
    RPC_URL: options.rpc,
    MODEL_NAME: options.modelName,
    LOG_LEVEL: log,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Overrides;
}

/** Options and environment as settings; the command line comes first. Everything wrong is named at once. */
export function settingsOf(options: StartOptions): Settings {
  try {
    return readSettings(overridesOf(options));
  } catch (error) {
    if (error instanceof SettingsError) {
      throw new CliError(
        error.message,
        "An option sets the same as the environment variable of its name: --port sets PORT.",
      );
    }
    throw error;
  }
}

/** The port that was asked for, or an error; the next free one where none was asked for. */
export async function choosePort(settings: Settings, options: StartOptions): Promise<{ port: number; moved: boolean }> {
  const { host, port } = settings;
  if (port === 0) return { port: await anyPort(host), moved: false };
  const asked = options.port !== undefined || process.env["PORT"] !== undefined;
  if (!asked) {
    const free = await firstFreePort(host, port);
    return { port: free, moved: free !== port };
  }
  if (await isFree(host, port)) return { port, moved: false };
  throw new CliError(
    `Port ${port} on ${host} is in use.`,
    "Stop what uses it, or give another with --port; without --port the next free one is taken.",
  );
}
