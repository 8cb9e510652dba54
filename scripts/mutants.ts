// Mutants of a contract: one small change each, found in the compiler's syntax tree, so that every operator of a long expression
// has its own. slither-mutate knows the same kinds (named as there), but passes over a statement that has an operator twice,
// which in packed words is nearly all of them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compile, remappings, root, withImports } from "./compile.ts";

export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly line: number;
  readonly kind: string;
  /** Bytes of the source. */
  readonly start: number;
  readonly end: number;
  readonly before: string;
  readonly after: string;
}

type Node = { nodeType?: string; src?: string; [key: string]: unknown };

/** Operator to what stands in its place: what a slip of the hand would write, and what turns its meaning over. */
const OPERATORS: Record<string, readonly string[]> = {
  "+": ["-"],
  "-": ["+"],
  "*": ["/"],
  "/": ["*"],
  "%": ["*"],
  "**": ["*"],
  "<<": [">>"],
  ">>": ["<<"],
  "&": ["|"],
  // Not to ^, which is the same wherever fields do not overlap.
  "|": ["&"],
  "^": ["&"],
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "==": ["!="],
  "!=": ["=="],
  "&&": ["||"],
  "||": ["&&"],
  "+=": ["-=", "="],
  "-=": ["+=", "="],
  "*=": ["/="],
  "/=": ["*="],
  "|=": ["&=", "="],
  "&=": ["|=", "="],
  "<<=": [">>="],
  ">>=": ["<<="],
  "++": ["--"],
  "--": ["++"],
};
const KINDS: Record<string, string> = { "&&": "LOR", "||": "LOR" };
for (const operator of ["+", "-", "*", "/", "%", "**"]) KINDS[operator] = "AOR";
for (const operator of ["<<", ">>", "&", "|", "^"]) KINDS[operator] = "BOR";
for (const operator of ["<", "<=", ">", ">=", "==", "!="]) KINDS[operator] = "ROR";
const YUL: Record<string, string> = {
  add: "sub",
  sub: "add",
  and: "or",
  or: "and",
  gt: "lt",
  lt: "gt",
  shl: "shr",
  shr: "shl",
};

const span = (node: Node): [number, number] => {
  const [start = 0, length = 0] = (node.src ?? "0:0").split(":").map(Number);
  return [start, start + length];
};
const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null && "src" in value;

class Finder {
  readonly found: Mutant[] = [];
  readonly #file: string;
  readonly #bytes: Buffer;

  constructor(file: string) {
    this.#file = file;
    this.#bytes = readFileSync(join(root, file));
  }

  #text(start: number, end: number): string {
    return this.#bytes.subarray(start, end).toString("utf8");
  }

  #add(kind: string, start: number, end: number, after: string): void {
    const before = this.#text(start, end);
    if (before === after) return;
    const line = this.#text(0, start).split("\n").length;
    const id = `${this.#file}:${line}:${start}:${kind}:${after}`;
    this.found.push({ id, file: this.#file, line, kind, start, end, before, after });
  }

  #operator(node: Node, from: number, to: number, kind?: string): void {
    const operator = String(node["operator"]);
    const at = this.#text(from, to)
      .replace(/\/\/[^\n]*/g, (comment) => " ".repeat(comment.length))
      .indexOf(operator);
    if (at === -1) return;
    const start = from + Buffer.byteLength(this.#text(from, to).slice(0, at));
    for (const other of OPERATORS[operator] ?? [])
      this.#add(kind ?? KINDS[operator] ?? "UOR", start, start + operator.length, other);
  }

  walk(node: Node): void {
    this.#mutate(node);
    for (const value of Object.values(node)) {
      if (Array.isArray(value)) for (const inner of value) if (isNode(inner)) this.walk(inner);
      if (isNode(value)) this.walk(value);
    }
  }

  #mutate(node: Node): void {
    const [start, end] = span(node);
    const child = (name: string): [number, number] => span(node[name] as Node);
    switch (node.nodeType) {
      case "BinaryOperation":
        this.#operator(node, child("leftExpression")[1], child("rightExpression")[0]);
        break;
      case "Assignment":
        this.#operator(node, child("leftHandSide")[1], child("rightHandSide")[0], "ASOR");
        break;
      case "UnaryOperation": {
        const [from, to] = child("subExpression");
        if (node["operator"] === "delete") return;
        if (node["operator"] === "++" || node["operator"] === "--") {
          this.#operator(node, node["prefix"] ? start : to, node["prefix"] ? from : end);
          return;
        }
        this.#add("UOR", start, from, "");
        break;
      }
      case "Literal":
      case "YulLiteral":
        if (node["kind"] === "number") this.#number(start, end);
        if (node["kind"] === "bool") this.#add("CR", start, end, node["value"] === "true" ? "false" : "true");
        return;
      case "YulFunctionCall": {
        const name = node["functionName"] as Node;
        const other = YUL[String(name["name"])];
        if (other) this.#add("AOR", ...span(name), other);
        return;
      }
      case "Conditional": {
        const [a, b] = [child("trueExpression"), child("falseExpression")];
        this.#add("MIA", a[0], b[1], `${this.#text(...b)} : ${this.#text(...a)}`);
        break;
      }
      case "IfStatement":
      case "WhileStatement": {
        const condition = child("condition");
        if (node.nodeType === "IfStatement") this.#add("MIA", ...condition, "true");
        this.#add("MIA", ...condition, "false");
        break;
      }
      case "FunctionCall": {
        const name = (node["expression"] as Node)["name"];
        const [first] = node["arguments"] as Node[];
        if (name === "require" && first) this.#add("RR", ...span(first), "true");
        return;
      }
      case "ExpressionStatement":
      case "EmitStatement":
        // Up to its semicolon.
        this.#add("SBR", start, end + 1, "{}");
        break;
      default:
    }
  }

  #number(start: number, end: number): void {
    const text = this.#text(start, end);
    if (!/^[\d_]+$/.test(text)) {
      if (/^[\d_.]+e\d+$/.test(text) || text.startsWith("0x")) this.#add("CR", start, end, `(${text} + 1)`);
      return;
    }
    const value = BigInt(text.replaceAll("_", ""));
    this.#add("CR", start, end, String(value + 1n));
    if (value > 0n) this.#add("CR", start, end, String(value - 1n));
  }
}

/** Every mutant of a file, in the order of its lines. */
export function mutantsOf(file: string): Mutant[] {
  const outputSelection = { [file]: { "": ["ast"] } };
  const input = {
    language: "Solidity",
    sources: withImports([file]),
    settings: { remappings, evmVersion: "prague", outputSelection },
  };
  const output = compile<{ sources: Record<string, { ast: { nodes: Node[] } }> }>(input);
  const finder = new Finder(file);
  for (const node of output.sources[file]?.ast.nodes ?? []) {
    if (node.nodeType !== "ContractDefinition" || node["contractKind"] === "interface") continue;
    finder.walk(node);
  }
  return finder.found.sort((a, b) => a.start - b.start);
}

export function applied(mutant: Mutant): Buffer {
  const bytes = readFileSync(join(root, mutant.file));
  return Buffer.concat([bytes.subarray(0, mutant.start), Buffer.from(mutant.after), bytes.subarray(mutant.end)]);
}
