// The compiler that the lockfile pins, on sources and whatever they import, without forge: for what needs a syntax tree or a
// small contract, not the deployed code.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

interface Compiler {
  version(): string;
  compile(input: string, callbacks: { import(path: string): { contents: string } | { error: string } }): string;
}

interface Diagnosed {
  errors?: { severity: "error" | "warning" | "info"; formattedMessage: string }[];
}

export const root = fileURLToPath(new URL("..", import.meta.url));

let compiler: Compiler | undefined;
function solc(): Compiler {
  compiler ??= createRequire(import.meta.url)("solc") as Compiler;
  return compiler;
}

export const solcVersion = (): string => solc().version().split("+")[0] ?? "";

export const remappings = readFileSync(join(root, "remappings.txt"), "utf8")
  .split("\n")
  .filter((line) => line.includes("="));

/** These files and every one that they import, by the name under which the compiler knows it. */
export function withImports(files: readonly string[]): Record<string, { content: string }> {
  const sources: Record<string, { content: string }> = {};
  const queue = [...files];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (sources[file]) continue;
    const content = readFileSync(join(root, file), "utf8");
    sources[file] = { content };
    for (const [, path = ""] of content.matchAll(/^\s*(?:import|\} from)[^;"]*"([^"]+)"/gm)) {
      const mapped = remappings.map((line) => line.split("=")).find(([from = ""]) => path.startsWith(from));
      if (mapped) queue.push((mapped[1] ?? "") + path.slice((mapped[0] ?? "").length));
      else queue.push(join(file, "..", path).replaceAll("\\", "/"));
    }
  }
  return sources;
}

/** Compiles standard JSON; an error of the compiler is thrown. */
export function compile<Output extends object>(input: object): Output {
  const callbacks = { import: (path: string) => ({ error: `${path} was not among the sources` }) };
  const output = JSON.parse(solc().compile(JSON.stringify(input), callbacks)) as Output & Diagnosed;
  const errors = output.errors?.filter(({ severity }) => severity === "error") ?? [];
  if (errors.length > 0) throw new Error(errors.map(({ formattedMessage }) => formattedMessage).join("\n"));
  return output;
}
