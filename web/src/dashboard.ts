import { Problem } from "./api.ts";
import * as calls from "./jobs/calls.ts";
import { Stream } from "./jobs/stream.ts";
import { signOut, type Session } from "./session.ts";
import { Shelf, type Entry } from "./shelf.ts";
import { titleOf } from "./title.ts";
import { pick } from "./uploads/pick.ts";
import type { Upload } from "./uploads/upload.ts";
import { Uploads } from "./uploads/uploads.ts";
import { pauseMs } from "./uploads/verdict.ts";
import { Card, type Actions } from "./view/card.ts";
import { copy } from "./view/clipboard.ts";
import { confirm } from "./view/dialog.ts";
import { DropPanel } from "./view/drop-panel.ts";
import { askOptions } from "./view/options-dialog.ts";
import { Page } from "./view/page.ts";
import { toast } from "./view/toast.ts";
import { day } from "./words.ts";

/** Everything of somebody who is signed in: what there is, what happens to it, and what they can do about it. */
export class Dashboard {
  readonly #shelf = new Shelf(
    (entry) => this.#changed(entry),
    () => this.#moved(),
  );
  readonly #cards = new Map<string, Card>();
  readonly #uploads: Uploads;
  readonly #panel: DropPanel;
  readonly #page: Page;
  readonly #stream: Stream;
  /** Other tabs of this browser. */
  readonly #tabs = new BroadcastChannel("decant");
  readonly #uploadOf = new WeakMap<Entry, Upload>();
  #failures = 0;
  #closures = 0;
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(
    place: HTMLElement,
    readonly session: Session,
  ) {
    this.#stream = new Stream(session.username, {
      opened: () => {
        this.#closures = 0;
        void this.refresh();
      },
      changed: (job) => this.#shelf.take(job),
      deleted: (id) => this.#shelf.drop(id),
      lost: () => this.#page.connected(false),
      // Listening at once to a server that has just refused would ask it without end.
      closed: () => void this.refresh(pauseMs(this.#closures++, null)),
    });
    this.#uploads = new Uploads(
      session.username,
      (upload) => this.#began(upload),
      (upload) => this.#uploadChanged(upload),
    );
    this.#panel = new DropPanel((picked, options) => void this.#uploads.add(picked, options));
    const showOlder = (): void => void this.#try(async () => this.#shelf.takeOlder(await calls.list(this.#shelf.older ?? undefined)));
    this.#page = new Page(place, session, this.#panel, { signOut: () => void this.#signOut(), showOlder });
    this.#tabs.onmessage = () => void this.refresh();
    addEventListener("online", () => void this.refresh());
    addEventListener("offline", () => this.#page.connected(false));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      this.#stream.lead();
      void this.refresh();
    });
  }

  async start(): Promise<void> {
    await this.refresh();
    this.#moved(); // also where there is nothing
    await this.#uploads.restore();
  }

  /** Something goes on that the session has to last for. */
  get isBusy(): boolean {
    return this.#uploads.isBusy || this.#shelf.isWaiting;
  }

  /** Puts the keyboard where one begins. */
  focus(): void {
    this.#panel.focus();
  }

  /** The session is back. */
  resume(): void {
    this.#uploads.wake();
    void this.refresh();
  }

  /** Asks how everything is, and listens (after a pause) if something is unfinished. */
  async refresh(pause = 0): Promise<void> {
    clearTimeout(this.#again);
    const known = this.#shelf.jobIds;
    try {
      const page = await calls.list();
      this.#shelf.takeNewest(page, known);
      // A stream that begins anew doesn't tell what has ended since the last one.
      for (const id of this.#shelf.unfinishedBelow(page)) await this.#look(id);
      this.#failures = 0;
      this.#page.connected(true);
      if (!this.#shelf.isWaiting) return;
      if (pause > 0) this.#again = setTimeout(() => this.#stream.open(), pause);
      else this.#stream.open();
    } catch (problem) {
      if (problem instanceof Problem && problem.isSignedOut) return;
      this.#page.connected(!(problem instanceof Problem && problem.isUnreachable));
      this.#again = setTimeout(() => void this.refresh(), pauseMs(this.#failures++, null));
    }
  }

  async #look(id: string): Promise<void> {
    try {
      this.#shelf.take(await calls.show(id));
    } catch (problem) {
      if (!(problem instanceof Problem && problem.status === 404)) throw problem;
      this.#shelf.drop(id);
    }
  }

  #began(upload: Upload): void {
    this.#uploadOf.set(this.#shelf.begin(upload.record.key, upload), upload);
  }

  #uploadChanged(upload: Upload): void {
    const entry = this.#shelf.entries.find(({ key }) => key === upload.record.key);
    if (entry) this.#changed(entry);
    if (upload.phase !== "done") return;
    void this.refresh();
    this.#tellTabs();
  }

  #changed(entry: Entry): void {
    this.#cards.get(entry.key)?.update();
    document.title = titleOf(this.#shelf.entries);
  }

  /** Has the cards follow the shelf. One that stays where it is isn't touched: the keyboard may be on it. */
  #moved(): void {
    const { entries, older } = this.#shelf;
    const keys = new Set(entries.map(({ key }) => key));
    for (const [key, card] of this.#cards) if (!keys.has(key)) this.#drop(key, card);
    const list = this.#page.cards;
    for (const [index, entry] of entries.entries()) {
      let card = this.#cards.get(entry.key);
      if (!card) {
        card = new Card(entry, this.session.username, this.#actions);
        this.#cards.set(entry.key, card);
      }
      if (list.children[index] !== card.element) list.insertBefore(card.element, list.children[index] ?? null);
    }
    this.#page.show(entries.length, older !== null);
    document.title = titleOf(entries);
  }

  /** Takes a card away. The keyboard goes to the next one, not to the top of the page. */
  #drop(key: string, card: Card): void {
    const held = card.element.contains(document.activeElement);
    const neighbour = card.element.nextElementSibling ?? card.element.previousElementSibling;
    card.drop();
    this.#cards.delete(key);
    if (!held) return;
    const next = [...this.#cards.values()].find(({ element }) => element === neighbour);
    if (next) next.focus();
    else this.#panel.focus();
  }

  readonly #actions: Actions = {
    cancel: (entry) => void this.#cancel(entry),
    remove: (entry) => void this.#remove(entry),
    retry: (entry) => void this.#retry(entry),
    options: (entry) => void this.#ask(entry),
    rename: (entry, title) => void this.#rename(entry, title),
    copyLink: (entry) => void this.#copyLink(entry),
    chooseFile: (entry) => void this.#chooseFile(entry),
    allow: (entry) => void this.#withUpload(entry, (upload) => this.#uploads.allow(upload)),
    uploadAgain: (entry) => void this.#withUpload(entry, (upload) => this.#uploads.again(upload)),
    unheard: () => toast("It can't be played right now. Check the connection, or reload the page.", "alert"),
  };

  async #cancel(entry: Entry): Promise<void> {
    const { job } = entry;
    if (!job) return this.#stop(entry);
    // Of a job that is converted again there is an MP3 already.
    if (job.mp3_fid) return this.#remove(entry);
    await this.#try(async () => {
      await calls.remove(job.id);
      this.#shelf.drop(job.id);
      this.#tellTabs();
      toast(`“${job.title}” is cancelled.`, "check");
    });
  }

  async #remove(entry: Entry): Promise<void> {
    const { job } = entry;
    if (!job) return this.#stop(entry);
    const what = job.mp3_fid ? "Its MP3 and the video are deleted for good." : "The video is deleted for good.";
    if (!(await confirm(`Delete “${job.title}”?`, what, "Delete"))) return;
    await this.#try(async () => {
      await calls.remove(job.id);
      this.#shelf.drop(job.id);
      this.#tellTabs();
      toast(`“${job.title}” is deleted.`, "check");
    });
  }

  #stop(entry: Entry): void {
    this.#withUpload(entry, (upload) => this.#uploads.cancel(upload));
    this.#shelf.remove(entry);
    toast("The upload is cancelled.", "check");
  }

  async #retry({ job }: Entry): Promise<void> {
    if (job) await this.#try(async () => this.#converted(await calls.retry(job.id)));
  }

  async #ask({ job }: Entry): Promise<void> {
    if (!job) return;
    const levels = job.state === "ready" ? await calls.waveform(job.id) : null;
    askOptions({
      title: `Convert “${job.title}” again`,
      does: "Convert again",
      options: job.options ?? {},
      ...(levels && job.duration_ms ? { sound: { levels, lengthS: job.duration_ms / 1000 } } : {}),
      take: async (options) => this.#converted(await calls.retry(job.id, options)),
    });
  }

  #converted(job: Parameters<Shelf["take"]>[0]): void {
    this.#shelf.take(job);
    this.#stream.open();
    this.#tellTabs();
  }

  async #rename({ job }: Entry, title: string): Promise<void> {
    if (!job) return;
    await this.#try(async () => {
      this.#shelf.take(await calls.rename(job.id, title));
      this.#tellTabs();
    });
  }

  async #copyLink({ job }: Entry): Promise<void> {
    if (!job) return;
    await this.#try(async () => {
      const link = calls.link(job.id);
      await copy(link.then(({ address }) => address));
      toast(`Link copied. It works without signing in until ${day((await link).expiresAt)}.`, "link");
    });
  }

  async #chooseFile(entry: Entry): Promise<void> {
    const upload = this.#uploadOf.get(entry);
    if (!upload) return;
    const [picked] = await pick(false);
    if (!picked || this.#uploads.resume(upload, picked)) return;
    toast(`That is another file. “${upload.record.name}” is needed, unchanged.`, "alert");
  }

  /** Streams end when nothing is unfinished, so the other tabs may hear of nothing. */
  #tellTabs(): void {
    this.#tabs.postMessage("look");
  }

  #withUpload(entry: Entry, act: (upload: Upload) => unknown): void {
    const upload = this.#uploadOf.get(entry);
    if (upload) act(upload);
  }

  async #signOut(): Promise<void> {
    await this.#try(async () => {
      await signOut();
      this.#tellTabs();
      location.reload();
    });
  }

  /** Does something, and says why where it doesn't work. */
  async #try(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (problem) {
      if (problem instanceof Problem && problem.isSignedOut) return; // there is a dialog about it
      toast(problem instanceof Problem ? problem.detail : "That didn't work. Try again.", "alert");
    }
  }
}
