import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** What detection asks the machine; tests answer in its place. */
export interface GpuProbes {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  /** Folders that LD_LIBRARY_PATH names. */
  readonly libraryFolders: readonly string[];
  exists(path: string): boolean;
  /** First line of a command's output; undefined where it cannot be run or fails. */
  run(command: string, args: readonly string[]): Promise<string | undefined>;
}

export type GpuKind = "cuda" | "vulkan" | "metal";

export interface GpuFinding {
  readonly kind: GpuKind;
  readonly usable: boolean;
  /** What was seen, or what is missing, in one sentence. */
  readonly detail: string;
}

export interface GpuReport {
  readonly findings: readonly GpuFinding[];
  /** The best usable one. */
  readonly best: GpuKind | undefined;
  /** npm packages that carry its engine; none where the ordinary install has it, or nobody builds one. */
  readonly packages: readonly string[];
}

const LIBRARY_FOLDERS = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib64",
  "/usr/lib",
  "/lib/x86_64-linux-gnu",
  "/usr/lib/wsl/lib",
  "/run/opengl-driver/lib",
];
const CUDA_FOLDERS = [
  "/usr/local/cuda/lib64",
  "/usr/local/cuda/targets/x86_64-linux/lib",
  "/usr/local/cuda-13/lib64",
  "/usr/local/cuda-12/lib64",
];
/** The prebuilt engines are linked against these, and bring none of them. */
const CUDA_RUNTIMES = [13, 12];
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  "linux-x64-cuda": ["@node-llama-cpp/linux-x64-cuda", "@node-llama-cpp/linux-x64-cuda-ext"],
  "linux-x64-vulkan": ["@node-llama-cpp/linux-x64-vulkan"],
  "win32-x64-cuda": ["@node-llama-cpp/win-x64-cuda", "@node-llama-cpp/win-x64-cuda-ext"],
  "win32-x64-vulkan": ["@node-llama-cpp/win-x64-vulkan"],
};

export function systemProbes(): GpuProbes {
  return {
    platform: process.platform,
    arch: process.arch,
    libraryFolders: (process.env["LD_LIBRARY_PATH"] ?? "").split(delimiter).filter((folder) => folder !== ""),
    exists: existsSync,
    run: (command, args) =>
      new Promise((done) => {
        const child = spawn(command, [...args], { stdio: ["ignore", "pipe", "ignore"], timeout: 10_000 });
        let output = "";
        child.stdout.on("data", (chunk: Buffer) => {
          output += chunk.toString("utf8");
        });
        child.once("error", () => done(undefined));
        child.once("close", (code) => done(code === 0 ? output.trim().split("\n")[0] : undefined));
      }),
  };
}

export async function detectGpu(probes: GpuProbes = systemProbes()): Promise<GpuReport> {
  const findings = probes.platform === "darwin" ? [metal(probes)] : [await cuda(probes), await vulkan(probes)];
  const best = findings.find(({ usable }) => usable)?.kind;
  return {
    findings,
    best,
    packages: best === undefined ? [] : (PACKAGES[`${probes.platform}-${probes.arch}-${best}`] ?? []),
  };
}

function metal({ arch }: GpuProbes): GpuFinding {
  const usable = arch === "arm64";
  return {
    kind: "metal",
    usable,
    detail: usable ? "Apple silicon; its engine came with the ordinary install" : "no Apple silicon",
  };
}

async function cuda(probes: GpuProbes): Promise<GpuFinding> {
  const finding = (detail: string, usable = false): GpuFinding => ({ kind: "cuda", usable, detail });
  const name = await probes.run("nvidia-smi", ["--query-gpu=name", "--format=csv,noheader"]);
  if (probes.platform !== "linux") return finding(name ?? "no NVIDIA card", name !== undefined);
  const card = name ?? "an NVIDIA card";
  if (!probes.exists("/dev/nvidia0") && !probes.exists("/dev/dxg"))
    return finding(
      name === undefined ? "no NVIDIA card" : `${card}, but no /dev/nvidia0: the container was not given the card`,
    );
  if (!hasLibrary(probes, "libcuda.so.1"))
    return finding(`${card} without the driver's libcuda.so.1; install NVIDIA's driver`);
  const runtime = CUDA_RUNTIMES.find(
    (major) => hasLibrary(probes, `libcudart.so.${major}`) && hasLibrary(probes, `libcublas.so.${major}`),
  );
  if (runtime === undefined)
    return finding(`${card} and its driver, but no CUDA 13 or 12 runtime (libcudart and libcublas)`);
  return finding(`${card}, its driver and the CUDA ${runtime} runtime`, true);
}

async function vulkan(probes: GpuProbes): Promise<GpuFinding> {
  if (probes.platform === "win32") {
    const usable = probes.exists("C:\\Windows\\System32\\vulkan-1.dll");
    return { kind: "vulkan", usable, detail: usable ? "the Vulkan loader" : "no vulkan-1.dll" };
  }
  const device = probes.exists("/dev/dri/renderD128") || probes.exists("/dev/dri/renderD129");
  const loader = hasLibrary(probes, "libvulkan.so.1");
  const missing = [
    ...(device ? [] : ["no graphics device in /dev/dri"]),
    ...(loader ? [] : ["no libvulkan.so.1 (Debian: libvulkan1)"]),
  ];
  return {
    kind: "vulkan",
    usable: device && loader,
    detail: missing.length === 0 ? "a graphics device and the Vulkan loader" : missing.join("; "),
  };
}

function hasLibrary(probes: GpuProbes, file: string): boolean {
  return [...probes.libraryFolders, ...LIBRARY_FOLDERS, ...CUDA_FOLDERS].some((folder) =>
    probes.exists(join(folder, file)),
  );
}
