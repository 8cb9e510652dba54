/** What many who ask, or one who asks often, can make the keeper do. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { once } from "../../keeper/http/once.ts";
import { type Client, connect, listening, outside } from "./support/http.ts";

describe("sockets of one client", () => {
  const from = (address: string) => ({ "x-forwarded-for": address });
  const opens = async (settings: Parameters<typeof outside>[0]) => {
    const keeper = await outside(settings);
    const { url } = await listening(keeper.app);
    return {
      ...keeper,
      open: (headers = {}, path = "/ws"): Promise<Client> => connect(`${url}${path}`, headers),
    };
  };

  it("are counted for the client that a trusted proxy speaks for", async () => {
    const keeper = await opens({ socketsPerAddress: 2, trustedProxies: ["127.0.0.1"] });
    const clients = [await keeper.open(from("192.0.2.1")), await keeper.open(from("192.0.2.1"))];
    await expect(keeper.open(from("192.0.2.1"))).rejects.toThrow("429");
    await keeper.open(from("192.0.2.2"));
    // What the client claims stands before what the proxy adds.
    await expect(keeper.open(from("203.0.113.9, 192.0.2.1"))).rejects.toThrow("429");
    clients[0]?.socket.close();
    await clients[0]?.closed;
    await expect
      .poll(() =>
        keeper.open(from("192.0.2.1")).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await keeper.app.close();
  });

  it("are the connection's own where no proxy is trusted, or another is", async () => {
    for (const trustedProxies of [[], ["10.0.0.0/8"]]) {
      const keeper = await opens({ socketsPerAddress: 1, trustedProxies });
      await keeper.open(from("192.0.2.1"));
      await expect(keeper.open(from("192.0.2.2"))).rejects.toThrow("429");
      await keeper.app.close();
    }
  });

  it("are no more than allowed when they all come at once", async () => {
    const keeper = await opens({ socketsPerAddress: 3 });
    const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => keeper.open()));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
    await keeper.app.close();
  });

  it("do not count once they are refused", async () => {
    const keeper = await opens({ socketsPerAddress: 1 });
    for (let index = 0; index < 5; index++)
      await expect.poll(() => keeper.open({}, "/ws?address=0x12").catch(String)).toContain("400");
    await expect.poll(() => keeper.open().then(() => "open", String)).toBe("open");
    await keeper.app.close();
  });
});

describe("what everybody may ask", () => {
  it.each(["health", "validators"] as const)("%s is worked out once for all who ask", async (name) => {
    const keeper = await outside();
    const work = vi.spyOn(keeper.services.reads, name);
    const ask = async () => (await keeper.app.inject(`/api/${name}`)).body;
    const answers = new Set([...(await Promise.all(Array.from({ length: 20 }, ask))), await ask()]);
    expect([answers.size, work.mock.calls.length]).toEqual([1, 1]);
    await keeper.app.close();
  });

  it.each([
    ["health", 503],
    ["validators", 500],
  ] as const)("%s that fails is not tried again for each", async (name, status) => {
    const keeper = await outside();
    keeper.script.breakReads = true;
    const work = vi.spyOn(keeper.services.reads, name);
    for (let index = 0; index < 3; index++) {
      const response = await keeper.app.inject(`/api/${name}`);
      expect(response.statusCode).toBe(status);
      expect(response.body).not.toContain("hunter2");
    }
    expect(work).toHaveBeenCalledTimes(1);
    await keeper.app.close();
  });
});

describe("once", () => {
  afterEach(() => void vi.useRealTimers());

  it("answers the same until its time is over, which begins when the work has ended", async () => {
    vi.useFakeTimers();
    let count = 0;
    const get = once(1_000, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      return ++count;
    });
    const first = [get(), get()];
    await vi.advanceTimersByTimeAsync(4_000);
    first.push(get());
    await vi.advanceTimersByTimeAsync(1_500);
    first.push(get());
    expect(await Promise.all(first)).toEqual([1, 1, 1, 1]);
    await vi.advanceTimersByTimeAsync(600);
    const second = get();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await second).toBe(2);
  });

  it("does not wait for ever for work that hangs, and hears nothing of it later", async () => {
    vi.useFakeTimers();
    const ends: ((value: string) => void)[] = [];
    const get = once(1_000, () => new Promise<string>((resolve) => ends.push(resolve)));
    void get();
    await vi.advanceTimersByTimeAsync(29_000);
    void get();
    expect(ends).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2_000);
    const fresh = get();
    ends[0]?.("late");
    ends[1]?.("fresh");
    expect([await fresh, await get()]).toEqual(["fresh", "fresh"]);
    expect(ends).toHaveLength(2);
  });
});
