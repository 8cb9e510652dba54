/** As much of a PostgreSQL server as its client speaks with: every statement goes to `script`, which answers or hangs up. */
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

export type FakeRow = Readonly<Record<string, string | boolean | null>>;

export interface Statement {
  readonly text: string;
  readonly parameters: readonly (string | null)[];
  /** Counts the connections from 1. */
  readonly connection: number;
}

/** `drop` closes the connection in place of an answer. */
export type Script = (statement: Statement) => readonly FakeRow[] | "drop";

const BOOLEAN = 16;
const TEXT = 25;

export class FakePostgres {
  readonly #server: Server;
  readonly #sockets = new Map<number, Socket>();
  #connections = 0;

  private constructor(script: Script) {
    this.#server = createServer((socket) => {
      const connection = ++this.#connections;
      this.#sockets.set(connection, socket);
      socket.on("error", () => undefined);
      socket.on("close", () => this.#sockets.delete(connection));
      serve(socket, (text, parameters) => script({ text, parameters, connection }));
    });
  }

  static async open(script: Script): Promise<FakePostgres> {
    const fake = new FakePostgres(script);
    fake.#server.listen(0, "127.0.0.1");
    await once(fake.#server, "listening");
    return fake;
  }

  get url(): string {
    return `postgresql://keeper:word@127.0.0.1:${(this.#server.address() as AddressInfo).port}/keeper`;
  }

  /** How many connections there ever were, and which of them are open. */
  get connections(): { readonly ever: number; readonly open: readonly number[] } {
    return { ever: this.#connections, open: [...this.#sockets.keys()] };
  }

  drop(connection: number): void {
    this.#sockets.get(connection)?.destroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.values()) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function serve(
  socket: Socket,
  run: (text: string, parameters: (string | null)[]) => readonly FakeRow[] | "drop",
): void {
  let unread = Buffer.alloc(0);
  let started = false;
  let text = "";
  let parameters: (string | null)[] = [];
  const execute = (): Buffer | undefined => {
    const rows = run(text, parameters);
    if (rows === "drop") return undefined;
    const shape = rows[0] === undefined ? [] : [rowDescription(rows[0])];
    return Buffer.concat([...shape, ...rows.map(dataRow), complete(rows.length)]);
  };
  socket.on("data", (chunk) => {
    unread = Buffer.concat([unread, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (unread.length < head + 4) return;
      const end = head + unread.readInt32BE(head);
      if (unread.length < end) return;
      const type = started ? unread.toString("latin1", 0, 1) : "startup";
      const body = unread.subarray(head + 4, end);
      unread = unread.subarray(end);
      let reply: Buffer | undefined = Buffer.alloc(0);
      switch (type) {
        case "startup":
          started = true;
          reply = Buffer.concat([message("R", int32(0)), ready()]);
          break;
        case "Q":
          [text = ""] = strings(body);
          parameters = [];
          reply = execute();
          if (reply) reply = Buffer.concat([reply, ready()]);
          break;
        case "P":
          text = strings(body)[1] ?? "";
          reply = message("1", Buffer.alloc(0));
          break;
        case "B":
          parameters = boundParameters(body);
          reply = message("2", Buffer.alloc(0));
          break;
        case "E":
          reply = execute();
          break;
        case "S":
          reply = ready();
          break;
        case "X":
          socket.end();
          return;
        default:
          // Describe is answered with the rows: before the statement has run, nobody here knows its columns.
          break;
      }
      if (reply === undefined) return void socket.destroy();
      socket.write(reply);
    }
  });
}

function message(type: string, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(type, "latin1"), int32(body.length + 4), body]);
}

const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};
const int16 = (value: number): Buffer => int32(value).subarray(2);
const text0 = (value: string): Buffer => Buffer.from(`${value}\0`, "utf8");
const ready = (): Buffer => message("Z", Buffer.from("I"));
const complete = (rows: number): Buffer => message("C", text0(`SELECT ${rows}`));
const strings = (body: Buffer): string[] => body.toString("utf8").split("\0");

function rowDescription(row: FakeRow): Buffer {
  const fields = Object.entries(row).map(([name, value]) => {
    const type = typeof value === "boolean" ? BOOLEAN : TEXT;
    return Buffer.concat([text0(name), int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(0)]);
  });
  return message("T", Buffer.concat([int16(fields.length), ...fields]));
}

function dataRow(row: FakeRow): Buffer {
  const cells = Object.values(row).map((value) => {
    if (value === null) return int32(-1);
    const bytes = Buffer.from(typeof value === "boolean" ? (value ? "t" : "f") : value, "utf8");
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return message("D", Buffer.concat([int16(cells.length), ...cells]));
}

/** Of a Bind: two names, the formats, and then the values. */
function boundParameters(body: Buffer): (string | null)[] {
  let at = body.indexOf(0) + 1;
  at = body.indexOf(0, at) + 1;
  at += 2 + 2 * body.readInt16BE(at);
  const count = body.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString("utf8", at - length, at);
  });
}
