import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const keeper = "http://127.0.0.1:4173";
const target = join(import.meta.dirname, "..", "..", "dist", "web");

/** Puts a .br and a .gz beside every text file, for the keeper to serve as they are: it compresses nothing itself. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      for (const name of readdirSync(target, { recursive: true, encoding: "utf8" })) {
        if (!/\.(html|css|js|svg|txt)$/.test(name)) continue;
        const content = readFileSync(join(target, name));
        writeFileSync(join(target, `${name}.br`), brotliCompressSync(content));
        writeFileSync(join(target, `${name}.gz`), gzipSync(content, { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), compressed()],
  build: {
    outDir: target,
    emptyOutDir: true,
    target: "es2023",
    // Every browser of the target knows modulepreload, and nothing inline may be left for a strict content policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
  server: {
    // `vite dev keeper/web` beside a running keeper.
    proxy: {
      "/api": keeper,
      "/ipfs": keeper,
      "/ws": { target: keeper, ws: true },
      "/llm": { target: keeper, ws: true },
    },
  },
});
