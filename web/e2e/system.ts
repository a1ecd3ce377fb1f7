import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

export const EMAIL = "kevin@email.com";
export const PASSWORD = "Qwerty123";

/** A start may have to wait for other tests. */
const START_MS = 90_000;

/** A job as the API shows it. */
export interface Job {
  id: string;
  state: string;
  title: string;
  duration_ms: number | null;
  mp3_size_bytes: number | null;
  options: Record<string, unknown>;
}

/** The real `decant up`, on a folder and a port of its own. */
export class System {
  #token = "";

  private constructor(
    readonly address: string,
    readonly port: number,
    private readonly process: ChildProcess,
    private readonly folder: string,
  ) {}

  static async started(settings: Record<string, string> = {}): Promise<System> {
    const folder = await mkdtemp(join(tmpdir(), "decant-web-"));
    const port = await freePort();
    const target = process.env["CARGO_TARGET_DIR"] ?? fileURLToPath(new URL("../../target", import.meta.url));
    const log = openSync(join(folder, "log"), "a");
    const child = spawn(join(target, "debug/decant"), ["up"], {
      cwd: folder,
      stdio: ["ignore", log, log],
      env: {
        PATH: process.env["PATH"],
        PORT: String(port),
        DECANT_DATA: join(folder, "data"),
        DECANT_ADMIN: `${EMAIL}:${PASSWORD}`,
        DECANT_SMTP: `file:${join(folder, "mail")}`,
        RUST_LOG: "warn",
        ...settings,
      },
    });
    const base = settings["DECANT_BASE_PATH"] ?? "";
    const system = new System(`http://localhost:${port}${base}`, port, child, folder);
    await until("it is ready", START_MS, async () => {
      if (child.exitCode !== null) throw new Error(`decant up ended: ${await system.said()}`);
      return (await system.said()).includes("Decant is ready at");
    });
    return system;
  }

  /** What it wrote. */
  said(): Promise<string> {
    return readFile(join(this.folder, "log"), "utf8");
  }

  async stop(): Promise<void> {
    const ended = once(this.process, "exit");
    this.process.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true });
  }

  /** A call as programs make it, with a token. */
  async call(path: string, more: RequestInit = {}): Promise<Response> {
    this.#token ||= await this.#login();
    return fetch(`${this.address}${path}`, { ...more, headers: { ...more.headers, Authorization: `Bearer ${this.#token}` } });
  }

  /** The jobs, newest first. */
  async jobs(): Promise<Job[]> {
    return ((await (await this.call("/jobs")).json()) as { jobs: Job[] }).jobs;
  }

  async #login(): Promise<string> {
    const basic = Buffer.from(`${EMAIL}:${PASSWORD}`).toString("base64");
    return (await fetch(`${this.address}/login`, { method: "POST", headers: { Authorization: `Basic ${basic}` } })).text();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
