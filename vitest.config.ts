import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { defineConfig } from "vitest/config";

// Every folder of test/ that holds TypeScript is a project of its own: `vitest run --project keeper`.
// What needs a program that npm cannot bring is named `*.real.test.ts`, and runs with `npm run test:real` alone.
// Real chains, models and databases take seconds to start, and two cores carry two files at a time.
const real = process.env.REAL_PARTS === "1";
const folder = join(import.meta.dirname, "test");
const projects = existsSync(folder)
  ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && entry.name !== "contracts")
  : [];

/** Projects whose tests start keepers with folders of their own. */
const usesKeepers = new Set(["keeper", "e2e", "package", "browser"]);

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    // A second is not long where two cores start chains and models.
    expect: { poll: { timeout: 10_000 } },
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    environment: "node",
    projects: projects.map(({ name }) => ({
      extends: true,
      test: {
        name,
        globalSetup: usesKeepers.has(name) ? ["test/keeper/support/database-template.ts"] : [],
        include: [`test/${name}/**/*.${real ? "real." : ""}test.ts`],
        exclude: real ? [] : ["**/*.real.test.ts"],
      },
    })),
  },
});
