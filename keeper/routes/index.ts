import type { FastifyInstance } from "fastify";
import type { HttpSettings } from "../http/settings.ts";
import { Spending } from "../http/spending.ts";
import type { Services } from "../services/types.ts";
import { registerAccounts } from "./accounts.ts";
import { registerBlocks } from "./blocks.ts";
import { registerCancel } from "./cancel.ts";
import { registerChat } from "./chat.ts";
import { registerGenerate } from "./generate.ts";
import { registerLocate } from "./locate.ts";
import { registerNetwork } from "./network.ts";
import { registerNotifications } from "./notifications.ts";
import { registerSessionPrompts } from "./session-prompts.ts";
import { registerSessions } from "./sessions.ts";
import { registerStream } from "./stream.ts";

export function registerRoutes(app: FastifyInstance, services: Services, settings: HttpSettings): void {
  const spending = new Spending(services);
  registerChat(app, services, spending, settings);
  registerGenerate(app, services, spending, settings);
  registerCancel(app, services, settings);
  registerSessions(app, services, settings);
  registerSessionPrompts(app, services, settings);
  registerAccounts(app, services, settings);
  registerLocate(app, services);
  registerNetwork(app, services, settings);
  registerBlocks(app, services);
  registerNotifications(app, services, settings);
  registerStream(app, services, settings);
}
