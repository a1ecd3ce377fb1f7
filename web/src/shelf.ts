import type { Page } from "./jobs/calls.ts";
import { isUnfinished, type Job } from "./jobs/job.ts";
import type { Sending } from "./uploads/sending.ts";

/** One card: an upload on its way, the job that it becomes, or a job that was there already. */
export interface Entry {
  readonly key: string;
  readonly upload: Sending | null;
  job: Job | null;
}

/**
 * All cards, newest first. Pages, the stream, other calls and other tabs tell about the same jobs in any order: the
 * greatest version of a job counts.
 */
export class Shelf {
  entries: Entry[] = [];
  /** The cursor of what is older than the cards. */
  older: string | null = null;
  /** The jobs that are gone: a late answer must not bring one back. */
  #gone = new Set<string>();

  constructor(
    /** A card has changed. */
    private readonly changed: (entry: Entry) => void,
    /** Cards came or went. */
    private readonly moved: () => void,
  ) {}

  /** An upload begins, on top of all. */
  begin(key: string, upload: Sending): Entry {
    const entry = { key, upload, job: null };
    this.entries.unshift(entry);
    this.moved();
    return entry;
  }

  /** Somebody told how a job is. */
  take(job: Job): void {
    if (this.#gone.has(job.id)) return;
    const entry = this.find(job.id);
    if (!entry) {
      this.#insert(job);
      return this.moved();
    }
    // One of the same version may have moved up: its place in the queue isn't in its record.
    if (entry.job && entry.job.version > job.version) return;
    entry.job = job;
    this.changed(entry);
  }

  /**
   * The newest page of the list came. What isn't in it but would be, and was known when it was asked for, is gone.
   */
  takeNewest(page: Page, known: ReadonlySet<string>): void {
    const ids = new Set(page.jobs.map((job) => job.id));
    const oldest = page.next === null ? "" : (page.jobs.at(-1)?.id ?? "");
    for (const id of known) if (!ids.has(id) && id > oldest) this.drop(id);
    if (!this.entries.some(({ job }) => job && job.id < oldest)) this.older = page.next;
    for (const job of page.jobs) this.take(job);
  }

  takeOlder(page: Page): void {
    this.older = page.next;
    for (const job of page.jobs) this.take(job);
  }

  /** A job is gone. */
  drop(id: string): void {
    this.#gone.add(id);
    const entry = this.find(id);
    if (entry) this.remove(entry);
  }

  /** A card is gone. */
  remove(entry: Entry): void {
    this.entries = this.entries.filter((each) => each !== entry);
    this.moved();
  }

  find(id: string): Entry | undefined {
    return this.entries.find(({ job, upload }) => (job?.id ?? upload?.jobId) === id);
  }

  /** The jobs that the server has, as far as we know: those of uploads that have just ended, too. */
  get jobIds(): Set<string> {
    const ids = this.entries.map(({ job, upload }) => job?.id ?? (upload?.phase === "done" ? upload.jobId : null));
    return new Set(ids.filter((id) => id !== null));
  }

  /** Jobs that will change, and of which the newest page says nothing. */
  unfinishedBelow(page: Page): string[] {
    const ids = new Set(page.jobs.map((job) => job.id));
    return this.entries.flatMap(({ job }) => (job && isUnfinished(job) && !ids.has(job.id) ? [job.id] : []));
  }

  /** Whether the stream has something to tell: a job that will change, or one that an upload just became. */
  get isWaiting(): boolean {
    return this.entries.some(({ job, upload }) => (job ? isUnfinished(job) : upload?.phase === "done"));
  }

  #insert(job: Job): void {
    // An upload has no place among ids until it has one itself: it stays above what was there when it began.
    const at = this.entries.findIndex((entry) => {
      const id = entry.job?.id ?? entry.upload?.jobId;
      return id !== undefined && id !== null && id < job.id;
    });
    const entry = { key: job.id, upload: null, job };
    this.entries.splice(at === -1 ? this.entries.length : at, 0, entry);
  }
}
