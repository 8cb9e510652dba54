/** The description of every route, made from the schemas that validate them. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";

export async function registerDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    convertConstToEnum: false,
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "NeuroSwarm keeper",
        version: "0.1.0",
        description: "Ask a network of validators, pay by the token, and verify what you were told.",
      },
      servers: [{ url: "/" }],
      tags: [
        { name: "Ask", description: "What spends: each takes a signed intent" },
        { name: "Sessions", description: "A cap locked once, and prompts paid by receipts; API keys" },
        { name: "Follow", description: "What becomes of a request" },
        { name: "Account", description: "Balances, rewards and history of an address" },
        { name: "Network", description: "Models, validators, prices, health" },
      ],
      components: {
        securitySchemes: {
          api_key: { type: "http", scheme: "bearer", description: "`nsk_…`, from POST /api/sessions with api_key" },
          intent: { type: "http", scheme: "bearer", description: "The EIP-712 signature that the 401 asks for" },
        },
      },
    },
  });
  await app.register(swaggerUi, {
    routePrefix: "/docs",
    // Its own page needs inline styles and nothing from elsewhere.
    staticCSP:
      "default-src 'self'; base-uri 'none'; connect-src 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'",
    uiConfig: { docExpansion: "list", deepLinking: false },
  });
}

export function registerOpenApi(app: FastifyInstance): void {
  app.get("/openapi.json", { schema: { hide: true } }, async () => app.swagger());
}
