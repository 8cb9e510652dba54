import { createServer } from "node:net";
import { CliError } from "./console.ts";

const TRIES = 50;

/** Whether a server could listen there now. Throws where the reason is another than the port being taken. */
export function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EACCES")
        reject(
          new CliError(`Port ${port} needs rights that this account lacks.`, "Choose one above 1023 with --port."),
        );
      else if (error.code === "EADDRNOTAVAIL" || error.code === "ENOTFOUND") {
        reject(
          new CliError(
            `${host} is not an address of this machine.`,
            "Leave --host out to serve this machine alone, or give 0.0.0.0 to serve the network.",
          ),
        );
      } else reject(error);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The wanted port, or the next free one above it. */
export async function firstFreePort(host: string, wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + TRIES && port < 65_536; port++) {
    if (await isFree(host, port)) return port;
  }
  throw new CliError(
    `None of the ports from ${wanted} to ${wanted + TRIES - 1} is free.`,
    "Give a free one with --port.",
  );
}

/** A port that the system chooses. */
export function anyPort(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host, port: 0, exclusive: true }, () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Whether an endpoint is on this machine. */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url);
  return hostname === "localhost" || hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
