// Every external function of the deployed contracts that changes state, with the errors that its source can revert with: its
// own, those of its modifiers, and those of the internal functions that it calls. Read from the syntax tree.
import { compile, remappings, withImports } from "./compile.ts";
import { filesBelow } from "./tests.ts";

interface Node {
  readonly id: number;
  readonly nodeType: string;
  readonly name?: string;
  readonly nodes?: readonly Node[];
  readonly kind?: string;
  readonly visibility?: string;
  readonly stateMutability?: string;
  readonly body?: object | null;
  readonly abstract?: boolean;
  readonly contractKind?: string;
  readonly linearizedBaseContracts?: readonly number[];
  readonly baseFunctions?: readonly number[];
  readonly referencedDeclaration?: number;
}

export interface Source {
  /** `Contract::function`, where it is written. */
  readonly subject: string;
  readonly errors: readonly string[];
}

/** What modifiers that come from OpenZeppelin revert with where they are used as they are meant. */
const MODIFIERS = new Map([
  ["restricted", "AccessManagedUnauthorized"],
  ["nonReentrant", "ReentrancyGuardReentrantCall"],
  ["initializer", "InvalidInitialization"],
  ["reinitializer", "InvalidInitialization"],
]);

function* within(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* within(item);
  } else if (typeof value === "object" && value !== null) {
    if ("nodeType" in value) yield value as Node;
    for (const part of Object.values(value)) yield* within(part);
  }
}

export function stateChanging(): Source[] {
  const files = filesBelow("contracts", ".sol");
  const output = compile<{ sources: Record<string, { ast: Node }> }>({
    language: "Solidity",
    sources: withImports(files),
    settings: { remappings, evmVersion: "prague", outputSelection: { "*": { "": ["ast"] } } },
  });
  const own = new Set<Node>();
  const byId = new Map<number, Node>();
  for (const [file, { ast }] of Object.entries(output.sources)) {
    for (const node of within(ast)) {
      if (/^(Contract|Function|Modifier|Error)Definition$/.test(node.nodeType)) byId.set(node.id, node);
      if (file.startsWith("contracts/")) own.add(node);
    }
  }
  const found = new Map<string, Source>();
  for (const contract of own) {
    if (contract.nodeType !== "ContractDefinition" || contract.contractKind !== "contract" || contract.abstract)
      continue;
    const overridden = new Set<number>();
    for (const base of (contract.linearizedBaseContracts ?? []).map((id) => byId.get(id))) {
      for (const member of base?.nodes ?? []) {
        if (member.nodeType !== "FunctionDefinition" || overridden.has(member.id) || !base || !own.has(base)) continue;
        for (const id of member.baseFunctions ?? []) overridden.add(id);
        const isOpen = member.visibility === "external" || member.visibility === "public";
        const changes = member.stateMutability === "nonpayable" || member.stateMutability === "payable";
        if (!isOpen || !changes || !member.body || member.kind === "constructor") continue;
        const subject = `${base.name}::${member.name || member.kind}`;
        found.set(subject, { subject, errors: [...errorsOf(member, byId, own, new Set())].sort() });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.subject < b.subject ? -1 : 1));
}

function errorsOf(code: Node, byId: ReadonlyMap<number, Node>, own: ReadonlySet<Node>, seen: Set<Node>): Set<string> {
  const errors = new Set<string>();
  seen.add(code);
  for (const { referencedDeclaration = 0 } of within(code)) {
    const target = byId.get(referencedDeclaration);
    if (!target) continue;
    const guard = target.nodeType === "ModifierDefinition" ? MODIFIERS.get(target.name ?? "") : undefined;
    if (guard) errors.add(guard);
    else if (target.nodeType === "ErrorDefinition" && own.has(target)) errors.add(target.name ?? "");
    else if (target.body && own.has(target) && !seen.has(target)) {
      for (const error of errorsOf(target, byId, own, seen)) errors.add(error);
    }
  }
  return errors;
}
