import type { Job } from "./job.ts";

/** What a stream of `GET /jobs/events` tells. */
export interface Listener {
  /** A stream begins: what was before it has to be asked for. */
  opened(): void;
  changed(job: Job): void;
  deleted(id: string): void;
  /** The connection broke; the browser tries to have it again. */
  lost(): void;
  /** The stream is over. Somebody has to look whether there is more to hear. */
  closed(): void;
}

/**
 * Hears of every change of the person's jobs, as long as one is unfinished. The browser connects again by itself where a
 * connection breaks; where the server says that there is nothing to tell (204) or can't tell (503), it doesn't.
 */
export class Stream {
  #source: EventSource | null = null;

  constructor(private readonly listener: Listener) {}

  /** Listens, if it doesn't yet. */
  open(): void {
    if (this.#source) return;
    const source = new EventSource("jobs/events");
    this.#source = source;
    source.addEventListener("open", () => this.listener.opened());
    source.addEventListener("job", (event) => this.listener.changed(JSON.parse(event.data)));
    source.addEventListener("deleted", (event) => {
      this.listener.deleted((JSON.parse(event.data) as { id: string }).id);
    });
    source.addEventListener("end", () => this.#ended(source));
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) this.#ended(source);
      else this.listener.lost();
    });
  }

  close(): void {
    this.#source?.close();
    this.#source = null;
  }

  #ended(source: EventSource): void {
    if (source !== this.#source) return;
    this.close();
    this.listener.closed();
  }
}
