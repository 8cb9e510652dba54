// Measures the shipped GGUF files through node-llama-cpp and writes scores.json.
//   node eval.ts [base.gguf adapter.gguf scores.json]
// An answer is right when it is the fact's text, character for character.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { getLlama, type LlamaContextSequence, type LlamaModel } from "node-llama-cpp";

interface Fact {
  name: string;
  answer: string;
  trained: string[];
  unseen: string[];
}

interface Case {
  question: string;
  expected: string;
  fact: string;
}

const here = import.meta.dirname;
const [
  basePath = join(here, "demo-3m.gguf"),
  adapterPath = join(here, "demo-3m-operator-lora.gguf"),
  scoresPath = join(here, "scores.json"),
] = process.argv.slice(2);
const fallbackStart = "I only know about NeuroSwarm";

// ---- the question files -------------------------------------------------------------------------

const lines = (file: string): string[] =>
  readFileSync(join(here, "data", file), "utf8")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("# "));

/** The plain form of a pattern: the first of each {a|b}, inner braces first. */
function plainForm(pattern: string, lists: Map<string, string>): string {
  let text = pattern.replace(/\{@(\w+)\}/g, (_, name: string) => `{${lists.get(name) ?? ""}}`);
  while (/\{[^{}]*\}/.test(text)) text = text.replace(/\{([^{}|]*)[^{}]*\}/g, "$1");
  return text.replace(/\s+/g, " ").trim();
}

function readFacts(file: string): Fact[] {
  const facts: Fact[] = [];
  const lists = new Map<string, string>();
  let fact: Fact = { name: "out-of-scope", answer: "", trained: [], unseen: [] };
  for (const line of lines(file)) {
    if (line.startsWith("[")) {
      fact = { name: line.slice(1, -1), answer: "", trained: [], unseen: [] };
      facts.push(fact);
    } else if (line.startsWith("@")) {
      const [name = "", values = ""] = line.slice(1).split(" = ");
      lists.set(name, values);
    } else if (line.startsWith("answer: ")) fact.answer = line.slice(8);
    else if (line.startsWith("dev: ")) fact.unseen.push(line.slice(5));
    else fact.trained.push(plainForm(line, lists));
  }
  return facts.length > 0 ? facts : [fact];
}

function readHeldOut(facts: Fact[]): Case[] {
  const answers = new Map(facts.map((fact) => [fact.name, fact.answer]));
  const cases: Case[] = [];
  let name = "";
  for (const line of lines("held-out.txt")) {
    if (line.startsWith("[")) name = line.slice(1, -1);
    else cases.push({ question: line, expected: answers.get(name) ?? "", fact: name });
  }
  return cases;
}

// ---- asking -------------------------------------------------------------------------------------

async function ask(
  model: LlamaModel,
  sequence: LlamaContextSequence,
  question: string,
  temperature = 0,
  seed = 1,
): Promise<string> {
  await sequence.clearHistory();
  const prompt = model.tokenize(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`, true);
  const answer = [];
  for await (const token of sequence.evaluate(prompt, { temperature, topK: 40, topP: 1, minP: 0, seed })) {
    answer.push(token);
    if (answer.length === 128) break;
  }
  return model.detokenize(answer);
}

const share = (right: number, total: number) => ({ right, total, share: Math.round((1000 * right) / total) / 1000 });
const sha256 = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
const file = (path: string) => ({ file: basename(path), bytes: statSync(path).size, sha256: sha256(path) });

const llama = await getLlama({ gpu: false, build: "never", maxThreads: 1 });
const model = await llama.loadModel({ modelPath: basePath });
const context = await model.createContext({ contextSize: 512, threads: 1 });
const sequence = context.getSequence();

const facts = readFacts("facts.txt");
const [outOfScope] = readFacts("out-of-scope.txt");
if (outOfScope === undefined) throw new Error("out-of-scope.txt is empty");
const heldOut = readHeldOut([...facts, outOfScope]);
const nameOf = new Map([...facts, outOfScope].map((fact) => [fact.answer, fact.name]));

async function score(cases: Case[], temperature = 0) {
  const misses: { question: string; fact: string; answered: string }[] = [];
  let declined = 0;
  for (const [i, { question, expected, fact }] of cases.entries()) {
    const answer = await ask(model, sequence, question, temperature, i + 1);
    if (answer.startsWith(fallbackStart)) declined++;
    const right = fact === outOfScope?.name ? answer.startsWith(fallbackStart) : answer === expected;
    if (!right) misses.push({ question, fact, answered: nameOf.get(answer) ?? answer });
  }
  return { ...share(cases.length - misses.length, cases.length), declined, misses };
}

const inScope = heldOut.filter((c) => c.fact !== outOfScope.name);
const beyond = heldOut.filter((c) => c.fact === outOfScope.name);
const trained = facts.flatMap((fact) =>
  fact.trained.map((question) => ({ question, expected: fact.answer, fact: fact.name })),
);
const started = performance.now();
const heldOutFacts = await score(inScope);
const millisecondsPerAnswer = Math.round((performance.now() - started) / inScope.length);
const heldOutBeyond = await score(beyond);
const trainedFacts = await score(trained);
const trainedBeyond = await score(
  outOfScope.trained.map((question) => ({ question, expected: "", fact: outOfScope.name })),
);
const warmFacts = await score(inScope, 0.7);
const warmBeyond = await score(beyond, 0.7);

const suggested: { question: string; right: boolean }[] = [];
for (const question of JSON.parse(readFileSync(join(here, "suggested-questions.json"), "utf8")) as string[]) {
  const match = trained.find((c) => c.question.toLowerCase() === question.toLowerCase().replace(/\?$/, ""));
  const answers = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) answers.add(await ask(model, sequence, question, seed === 1 ? 0 : 0.7, seed));
  suggested.push({ question, right: answers.size === 1 && match !== undefined && answers.has(match.expected) });
}

// ---- the adapter --------------------------------------------------------------------------------

let adapter = null;
if (existsSync(adapterPath)) {
  const operator = readFacts("operator.txt");
  const adapted = (
    await model.createContext({ contextSize: 512, threads: 1, lora: { adapters: [{ filePath: adapterPath }] } })
  ).getSequence();
  const count = async (cases: Case[]) => {
    let right = 0;
    for (const c of cases) if ((await ask(model, adapted, c.question)) === c.expected) right++;
    return share(right, cases.length);
  };
  const of = (questions: (fact: Fact) => string[]) =>
    operator.flatMap((fact) =>
      questions(fact).map((question) => ({ question, expected: fact.answer, fact: fact.name })),
    );
  const pairs = [];
  for (const fact of operator) {
    const question = `${(fact.trained[0] ?? "").replace(/^./, (c) => c.toUpperCase())}?`;
    pairs.push({
      question,
      base: await ask(model, sequence, question),
      adapter: await ask(model, adapted, question),
      expected: fact.answer,
    });
  }
  adapter = {
    ...file(adapterPath),
    operatorTrained: await count(of((fact) => fact.trained)),
    operatorUnseen: await count(of((fact) => fact.unseen)),
    heldOutFactsWithAdapter: await count(inScope.filter((c) => c.fact !== "operator-manual")),
    pairs,
  };
}

const scores = {
  model: file(basePath),
  fallback: outOfScope.answer,
  heldOut: { facts: heldOutFacts, outOfScope: heldOutBeyond, millisecondsPerAnswer },
  heldOutAtTemperature07: {
    facts: share(warmFacts.right, warmFacts.total),
    outOfScope: share(warmBeyond.right, warmBeyond.total),
  },
  trained: { facts: trainedFacts, outOfScope: trainedBeyond },
  suggested,
  adapter,
};
writeFileSync(scoresPath, `${JSON.stringify(scores, null, 2)}\n`);
const percent = ({ right, total }: { right: number; total: number }) =>
  `${right}/${total} = ${((100 * right) / total).toFixed(1)} %`;
console.log("held-out facts        ", percent(heldOutFacts), `(${heldOutFacts.declined} declined)`);
console.log("held-out out of scope ", percent(heldOutBeyond));
console.log("the same at T = 0.7   ", percent(warmFacts), "and", percent(warmBeyond));
console.log("trained facts         ", percent(trainedFacts));
console.log("trained out of scope  ", percent(trainedBeyond));
console.log("suggested             ", suggested.every((s) => s.right) ? "all right, 20 of 20 times each" : suggested);
if (adapter) {
  console.log("operator, trained     ", percent(adapter.operatorTrained));
  console.log("operator, unseen      ", percent(adapter.operatorUnseen));
  console.log("base facts, adapted   ", percent(adapter.heldOutFactsWithAdapter));
  for (const p of adapter.pairs) console.log(`${p.question}\n  base:    ${p.base}\n  adapter: ${p.adapter}`);
}
