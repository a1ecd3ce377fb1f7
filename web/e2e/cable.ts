import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** The cable between a browser and the server. It can be cut, and one that is held lets an upload come half-way. */
export class Cable {
  readonly #ends = new Set<Socket>();
  readonly #held = new Set<Socket>();
  #whole = true;
  #limit = Infinity;

  private constructor(
    private readonly server: Server,
    readonly address: string,
  ) {}

  static async to(port: number): Promise<Cable> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const cable = new Cable(server, `http://localhost:${(server.address() as AddressInfo).port}`);
    server.on("connection", (browser) => cable.#join(browser, port));
    return cable;
  }

  /** Lets no connection bring more than so many bytes to the server. */
  hold(bytes: number): void {
    this.#limit = bytes;
  }

  /** Breaks every connection, and lets no new one come about. */
  cut(): void {
    this.#whole = false;
    for (const end of this.#ends) end.destroy();
  }

  /** Makes it as good as new. */
  mend(): void {
    this.#whole = true;
    this.#limit = Infinity;
    for (const end of this.#held) end.resume();
    this.#held.clear();
  }

  async close(): Promise<void> {
    this.cut();
    this.server.close();
    await once(this.server, "close");
  }

  #join(browser: Socket, port: number): void {
    if (!this.#whole) return void browser.destroy();
    const server = connect(port, "127.0.0.1");
    let bytes = 0;
    browser.on("data", (data) => {
      server.write(data);
      bytes += data.length;
      if (bytes < this.#limit) return;
      browser.pause();
      this.#held.add(browser);
    });
    server.on("data", (data) => browser.write(data));
    for (const [end, other] of [[browser, server], [server, browser]] as const) {
      this.#ends.add(end);
      end.on("error", () => {}); // a cut is no surprise here
      end.on("close", () => {
        this.#ends.delete(end);
        other.destroy();
      });
    }
  }
}
