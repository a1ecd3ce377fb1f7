import { call } from "../api.ts";
import type { Options } from "../options.ts";
import { claim, release } from "./claim.ts";
import type { Picked } from "./pick.ts";
import { forget, recall, remember, type Remembered } from "./remembered.ts";
import { Upload } from "./upload.ts";

/** Browsers open six connections to a server over HTTP/1.1, and pages, streams and players want some. */
const AT_ONCE = 2;

/** All uploads of this tab. */
export class Uploads {
  #all: Upload[] = [];

  constructor(
    private readonly owner: string,
    /** One is new. */
    private readonly begun: (upload: Upload) => void,
    /** One has changed. */
    private readonly changed: (upload: Upload) => void,
  ) {
    addEventListener("online", () => this.wake());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.wake();
    });
  }

  /** Something is on its way. */
  get isBusy(): boolean {
    return this.#all.some(({ phase }) => phase === "sending" || phase === "lost" || phase === "queued");
  }

  /** Takes files that somebody has picked or dropped. One that was left half-way goes on. */
  async add(picked: Picked[], options: Options): Promise<void> {
    for (const { file, handle } of picked) {
      const left = this.#all.find((upload) => wantsFile(upload) && upload.fits(file));
      if (left) {
        this.#give(left, file, handle);
        continue;
      }
      const { name, size, lastModified } = file;
      const record = { key: newKey(), owner: this.owner, name, size, lastModified, options, url: null, handle };
      this.#track(record, file);
      await claim(record.key);
      await remember(record);
    }
    this.#fill();
  }

  /** What an earlier page left unfinished, and no other tab has. */
  async restore(): Promise<void> {
    for (const record of await recall(this.owner)) {
      if (this.#all.some((upload) => upload.record.key === record.key)) continue;
      if (!(await claim(record.key))) continue;
      const sent = await sentOf(record);
      if (sent === null || sent >= record.size) {
        await forget(record.key); // it has expired, or it is a job by now
        release(record.key);
        continue;
      }
      const upload = this.#track(record, null);
      upload.sent = sent;
      const allowed = await permission(record.handle, false);
      upload.phase = allowed === "granted" ? "queued" : allowed === "prompt" ? "needs-permission" : "needs-file";
      this.changed(upload);
    }
    this.#fill();
  }

  /** Gives an upload the file that it needs. False if this is another file. */
  resume(upload: Upload, picked: Picked): boolean {
    if (!upload.fits(picked.file)) return false;
    this.#give(upload, picked.file, picked.handle);
    this.#fill();
    return true;
  }

  /** Asks the browser for the file. Only in answer to a click. */
  async allow(upload: Upload): Promise<void> {
    const allowed = await permission(upload.record.handle, true);
    upload.phase = allowed === "granted" ? "queued" : "needs-file";
    this.changed(upload);
    this.#fill();
  }

  /** Tries again what had failed. */
  again(upload: Upload): void {
    upload.phase = "queued";
    this.changed(upload);
    this.#fill();
  }

  /** Stops it, and has the server delete what it has of it. */
  async cancel(upload: Upload): Promise<void> {
    this.#all = this.#all.filter((each) => each !== upload);
    await upload.stop();
    this.#fill();
    const { url } = upload.record;
    if (url) await call("DELETE", url, { headers: { "Tus-Resumable": "1.0.0" } }).catch(() => {}); // it expires anyway
  }

  /** Better times may have come. */
  wake(): void {
    for (const upload of this.#all) upload.wake();
  }

  #give(upload: Upload, file: File, handle: FileSystemFileHandle | null): void {
    upload.file = file;
    upload.record.handle = handle;
    void remember(upload.record);
    this.again(upload);
  }

  #track(record: Remembered, file: File | null): Upload {
    const upload = new Upload(record, file, (upload) => this.#noted(upload));
    this.#all.push(upload);
    this.begun(upload);
    return upload;
  }

  #noted(upload: Upload): void {
    this.changed(upload);
    if (upload.phase === "done") this.#all = this.#all.filter((each) => each !== upload);
    if (upload.phase !== "sending") this.#fill();
  }

  /** Starts as many as may run, oldest first. */
  #fill(): void {
    let running = this.#all.filter(({ phase }) => phase === "sending" || phase === "lost").length;
    for (const upload of this.#all) {
      if (running >= AT_ONCE) return;
      if (upload.phase !== "queued") continue;
      running += 1;
      void upload.start();
    }
  }
}

function wantsFile({ phase }: Upload): boolean {
  return phase === "needs-file" || phase === "needs-permission";
}

/** Keys sort by when they were made. */
function newKey(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `${Date.now()}-${random.toString(36)}`;
}

/** How many bytes the server has; `null` if it has forgotten the upload, 0 where it can't be asked. */
async function sentOf(record: Remembered): Promise<number | null> {
  if (!record.url) return 0;
  try {
    const answer = await call("HEAD", record.url, { headers: { "Tus-Resumable": "1.0.0" } });
    return Number(answer.headers.get("Upload-Offset"));
  } catch (problem) {
    const { status } = problem as { status: number };
    return status === 404 || status === 410 ? null : 0;
  }
}

/** Chromium remembers where a file was, and asks the person before it is read again. */
async function permission(handle: FileSystemFileHandle | null, ask: boolean): Promise<PermissionState> {
  if (!handle) return "denied";
  // Not in TypeScript's library, because only Chromium has them.
  const asked = handle as FileSystemFileHandle & Record<"queryPermission" | "requestPermission", () => Promise<PermissionState>>;
  try {
    return await (ask ? asked.requestPermission() : asked.queryPermission());
  } catch {
    return "denied";
  }
}
