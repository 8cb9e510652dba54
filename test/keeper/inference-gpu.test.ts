import { lstat, mkdir, readFile, realpath, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { gpuNotice, installGpu } from "../../keeper/inference/gpu.ts";
import { detectGpu, type GpuProbes } from "../../keeper/inference/gpu-detection.ts";
import { temporaryFolder } from "./support/engine-harness.ts";

const CUDA_FILES = [
  "/dev/nvidia0",
  "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
  "/usr/local/cuda/lib64/libcudart.so.13",
  "/usr/local/cuda/lib64/libcublas.so.13",
];
const VULKAN_FILES = ["/dev/dri/renderD128", "/usr/lib/x86_64-linux-gnu/libvulkan.so.1"];
const CUDA_PACKAGES = ["@node-llama-cpp/linux-x64-cuda", "@node-llama-cpp/linux-x64-cuda-ext"];

function machine(files: readonly string[], overrides: Partial<GpuProbes> = {}): GpuProbes {
  const exists = (path: string): boolean => files.includes(path);
  return { platform: "linux", arch: "x64", libraryFolders: [], exists, run: async () => undefined, ...overrides };
}

const nvidiaSmi = async (command: string): Promise<string | undefined> =>
  command === "nvidia-smi" ? "NVIDIA L4" : undefined;

describe("detection", () => {
  test.each([
    ["nothing", machine([]), undefined, []],
    ["an NVIDIA card with CUDA", machine(CUDA_FILES, { run: nvidiaSmi }), "cuda", CUDA_PACKAGES],
    [
      "CUDA 12 in a folder of its own",
      machine([...CUDA_FILES.slice(0, 2), "/opt/c/libcudart.so.12", "/opt/c/libcublas.so.12"], {
        libraryFolders: ["/opt/c"],
      }),
      "cuda",
      CUDA_PACKAGES,
    ],
    [
      "an NVIDIA card without CUDA's runtime, but Vulkan",
      machine([...CUDA_FILES.slice(0, 2), ...VULKAN_FILES]),
      "vulkan",
      ["@node-llama-cpp/linux-x64-vulkan"],
    ],
    ["Vulkan", machine(VULKAN_FILES), "vulkan", ["@node-llama-cpp/linux-x64-vulkan"]],
    ["a device without the loader", machine(VULKAN_FILES.slice(0, 1)), undefined, []],
    ["the loader without a device", machine(VULKAN_FILES.slice(1)), undefined, []],
    ["a GPU for which nobody builds an engine", machine(CUDA_FILES, { arch: "arm64" }), "cuda", []],
    ["Apple silicon", machine([], { platform: "darwin", arch: "arm64" }), "metal", []],
    [
      "Windows with NVIDIA",
      machine([], { platform: "win32", run: nvidiaSmi }),
      "cuda",
      ["@node-llama-cpp/win-x64-cuda", "@node-llama-cpp/win-x64-cuda-ext"],
    ],
  ])("%s", async (_, probes, best, packages) => {
    expect(await detectGpu(probes)).toMatchObject({ best, packages });
  });

  test("says what is missing", async () => {
    const { findings } = await detectGpu(machine(["/dev/nvidia0"], { run: nvidiaSmi }));
    expect(findings.map(({ detail }) => detail)).toEqual([
      "NVIDIA L4 without the driver's libcuda.so.1; install NVIDIA's driver",
      "no graphics device in /dev/dri; no libvulkan.so.1 (Debian: libvulkan1)",
    ]);
  });

  test("runs on this machine, whatever it has", async () => {
    const { findings } = await detectGpu();
    expect(findings.length).toBeGreaterThan(0);
  });
});

describe("installing the engine", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let nodeModules: string;
  let calls: string[][];

  async function manifest(path: string, name: string, version: string): Promise<void> {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "package.json"), JSON.stringify({ name, version }));
  }

  /** Puts into the prefix what npm would, without a network. */
  async function npm(args: readonly string[]): Promise<void> {
    calls.push([...args]);
    const prefix = args[args.indexOf("--prefix") + 1] ?? "";
    for (const argument of args.filter((each) => each.startsWith("@node-llama-cpp/"))) {
      const [, name = "", version = ""] = /^(.+)@(.+)$/.exec(argument) ?? [];
      await manifest(join(prefix, "node_modules", name), name, version);
    }
  }

  const options = (probes = machine(CUDA_FILES)) => ({
    dataFolder: join(folder.path, "data"),
    nodeModules,
    probes,
    npm,
  });

  beforeEach(async () => {
    folder = await temporaryFolder();
    nodeModules = join(folder.path, "node_modules");
    calls = [];
    await manifest(join(nodeModules, "node-llama-cpp"), "node-llama-cpp", "3.22.1");
    for (const name of CUDA_PACKAGES) await manifest(join(nodeModules, name), "empty-npm-package", "1.0.0");
  });
  afterEach(() => folder.remove());

  test("brings it at the version of node-llama-cpp and links it in the placeholder's stead", async () => {
    expect(await gpuNotice(options())).toContain("npx neuroswarm gpu");
    expect(await installGpu(options())).toMatchObject({
      outcome: "installed",
      version: "3.22.1",
      packages: CUDA_PACKAGES,
    });
    for (const name of CUDA_PACKAGES) {
      expect(await realpath(join(nodeModules, name))).toBe(
        await realpath(join(folder.path, "data/gpu/node_modules", name)),
      );
      expect(JSON.parse(await readFile(join(nodeModules, name, "package.json"), "utf8"))).toMatchObject({
        name,
        version: "3.22.1",
      });
    }
    expect(await gpuNotice(options())).toBeUndefined();
  });

  test("does nothing the second time, and only links again after a fresh install", async () => {
    await installGpu(options());
    expect(await installGpu(options())).toMatchObject({ outcome: "already" });
    const [name = ""] = CUDA_PACKAGES;
    const link = join(nodeModules, name);
    await unlink(link);
    await manifest(link, "empty-npm-package", "1.0.0");
    expect(await installGpu(options())).toMatchObject({ outcome: "installed" });
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(calls).toHaveLength(1);
  });

  test("follows an update of node-llama-cpp", async () => {
    await installGpu(options());
    await manifest(join(nodeModules, "node-llama-cpp"), "node-llama-cpp", "3.23.0");
    expect(await installGpu(options())).toMatchObject({ outcome: "installed", version: "3.23.0" });
    expect(calls).toHaveLength(2);
  });

  test("only says what it would do in a dry run", async () => {
    const lines: string[] = [];
    const result = await installGpu({ ...options(), dryRun: true, onProgress: (line) => lines.push(line) });
    expect(result.outcome).toBe("planned");
    expect(lines.join("\n")).toContain("would install @node-llama-cpp/linux-x64-cuda@3.22.1");
    expect(calls).toEqual([]);
    await expect(lstat(join(folder.path, "data"))).rejects.toThrow();
  });

  test("does nothing without a GPU, and gives no hint", async () => {
    expect(await installGpu(options(machine([])))).toMatchObject({ outcome: "nothing" });
    expect(await gpuNotice(options(machine([])))).toBeUndefined();
  });

  test("leaves alone what somebody else put there", async () => {
    const path = join(nodeModules, CUDA_PACKAGES[0] ?? "");
    await manifest(path, "my-own-build", "3.22.1");
    await expect(installGpu(options())).rejects.toThrow("my-own-build");
    expect((await lstat(path)).isDirectory()).toBe(true);
  });

  test("says when npm brought something else", async () => {
    const wrong = async (args: readonly string[]): Promise<void> =>
      npm(args.map((each) => each.replace("@3.22.1", "@3.0.0")));
    await expect(installGpu({ ...options(), npm: wrong })).rejects.toThrow("expected 3.22.1");
  });
});
