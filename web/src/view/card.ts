import { downloadAddress, waveform } from "../jobs/calls.ts";
import type { Entry } from "../shelf.ts";
import { announce } from "./announce.ts";
import { button, iconButton, linkButton } from "./buttons.ts";
import { h, newId, set, write } from "./dom.ts";
import { icon } from "./icons.ts";
import { lookOf, type Kind, type Look } from "./look.ts";
import { Player } from "./player.ts";
import { editTitle } from "./rename.ts";
import { whenSeen } from "./seen.ts";
import { Wave } from "./wave.ts";

/** What a person can do with a card. */
export interface Actions {
  cancel(entry: Entry): void;
  remove(entry: Entry): void;
  retry(entry: Entry): void;
  options(entry: Entry): void;
  rename(entry: Entry, title: string): void;
  copyLink(entry: Entry): void;
  chooseFile(entry: Entry): void;
  allow(entry: Entry): void;
  uploadAgain(entry: Entry): void;
  unheard(entry: Entry): void;
}

/** One video on its way to an MP3, or the MP3. Its parts keep their places whatever happens to it. */
export class Card {
  readonly element: HTMLLIElement;
  readonly #wave: Wave;
  readonly #title: HTMLElement;
  readonly #head: HTMLElement;
  readonly #source = h("p", { class: "source" });
  readonly #badge = h("span", { class: "round" });
  readonly #bar = h("div", { class: "bar" });
  readonly #sentence = h("p", { class: "sentence" });
  readonly #status = h("p", { class: "status" });
  readonly #buttons = h("div", { class: "buttons" });
  #kind: Kind | null = null;
  #player: Player | null = null;
  #mp3: string | null = null;

  constructor(
    readonly entry: Entry,
    private readonly me: string,
    private readonly actions: Actions,
  ) {
    const id = newId();
    this.#wave = new Wave(entry.key);
    this.#title = h("h3", { id, class: "title", tabindex: -1 });
    const rename = iconButton("Rename", "pencil", () => this.#rename());
    rename.classList.add("rename");
    this.#head = h("div", { class: "head" }, this.#title, rename);
    this.#bar.append(this.#wave.canvas);
    this.element = h(
      "li",
      {},
      h(
        "article",
        { class: "card", "aria-labelledby": id },
        this.#head,
        this.#source,
        h("div", { class: "stage" }, this.#badge, this.#bar, this.#sentence),
        h("div", { class: "foot" }, this.#status, this.#buttons),
      ),
    );
    this.update();
  }

  /** Shows the entry as it is now. */
  update(): void {
    const look = lookOf(this.entry, this.me);
    write(this.#title, look.title);
    write(this.#source, look.source);
    write(this.#sentence, look.sentence ?? "");
    const before = this.#kind;
    if (before !== look.kind) this.#turn(look, before);
    if (look.kind === "ready") this.#play(before !== null && before !== "ready");
    else this.#progress(look);
    this.#player?.named(look.title);
    if (this.#player) this.#status.replaceChildren(this.#player.place, ` · ${look.status}`);
    else write(this.#status, look.status);
  }

  /** Puts the keyboard here. */
  focus(): void {
    this.#title.focus();
  }

  drop(): void {
    this.#player?.stop();
    this.#wave.drop();
    this.element.remove();
  }

  #turn(look: Look, before: Kind | null): void {
    const { kind, title } = look;
    const held = this.element.contains(document.activeElement) && document.activeElement !== this.#title;
    this.#kind = kind;
    this.element.dataset["kind"] = kind;
    this.#badge.replaceChildren(icon(look.icon));
    this.#buttons.replaceChildren(...this.#buttonsOf(kind));
    // Whoever stood on a button that is gone stands on the one that took its place.
    if (held && !this.element.contains(document.activeElement)) this.#buttons.querySelector("button")?.focus();
    if (before !== null && before !== kind) announce(spoken(look, title));
  }

  #progress({ fraction, sentence, status, title }: Look): void {
    if (this.#player) {
      this.#player.stop();
      this.#player.button.replaceWith(this.#badge);
      this.#player = this.#mp3 = null;
      for (const name of ["aria-valuetext", "tabindex"]) set(this.#bar, name, null);
      this.#wave.show(null, false);
    }
    const shown = fraction !== null && sentence === null;
    set(this.#bar, "role", shown ? "progressbar" : null);
    set(this.#bar, "aria-label", shown ? title : null);
    set(this.#bar, "aria-valuenow", shown ? Math.floor(fraction * 100) : null);
    set(this.#bar, "aria-valuetext", shown ? status : null);
    set(this.#bar, "aria-valuemin", shown ? 0 : null);
    set(this.#bar, "aria-valuemax", shown ? 100 : null);
    this.#wave.fill(fraction ?? 0, true);
  }

  #play(growing: boolean): void {
    const { job } = this.entry;
    if (!job?.mp3_fid || job.mp3_fid === this.#mp3) return;
    this.#player?.stop();
    this.#mp3 = job.mp3_fid;
    const failed = (): void => this.actions.unheard(this.entry);
    const player = new Player(this.#bar, this.#wave, job.mp3_fid, (job.duration_ms ?? 0) / 1000, failed);
    (this.#player?.button ?? this.#badge).replaceWith(player.button);
    this.#player = player;
    whenSeen(this.element, async () => {
      const levels = await waveform(job.id);
      if (levels && this.#mp3 === job.mp3_fid) this.#wave.show(levels, growing);
    });
  }

  #buttonsOf(kind: Kind): HTMLElement[] {
    const { actions, entry } = this;
    const cancel = button("Cancel", "x", () => actions.cancel(entry));
    const remove = iconButton("Delete", "trash", () => actions.remove(entry));
    const options = iconButton("Convert again with other options", "sliders", () => actions.options(entry));
    const canRetry = entry.job?.can_retry ?? false;
    const again = button("Try again", "retry", () => actions.retry(entry), "main");
    switch (kind) {
      case "queued":
      case "uploading":
      case "waiting":
      case "converting":
        return [cancel];
      case "lost":
        return [button("Try now", "retry", () => actions.uploadAgain(entry)), cancel];
      case "needs-file":
        return [button("Choose file", "file", () => actions.chooseFile(entry), "main"), cancel];
      case "needs-permission":
        return [button("Go on", "upload", () => actions.allow(entry), "main"), cancel];
      case "upload-failed":
        return [button("Try again", "retry", () => actions.uploadAgain(entry), "main"), remove];
      case "ready":
        return [
          linkButton("Download", "download", downloadAddress(entry.job?.mp3_fid ?? "")),
          iconButton("Copy link", "link", () => actions.copyLink(entry)),
          ...(canRetry ? [options] : []),
          remove,
        ];
      case "failed":
        return canRetry ? [again, options, remove] : [remove];
      case "expired":
        return canRetry ? [button("Convert again", "retry", () => actions.retry(entry), "main"), options, remove] : [remove];
    }
  }

  #rename(): void {
    editTitle(this.#head, this.#title, (title) => this.actions.rename(this.entry, title));
  }
}

/** What a screen reader says when a card turns. Percents it can ask for; nobody wants to hear them all. */
function spoken({ kind, status, sentence }: Look, title: string): string {
  if (kind === "ready") return `${title} is ready.`;
  if (kind === "uploading") return `${title} is being uploaded.`;
  if (kind === "converting") return `${title} is being converted.`;
  return `${title}: ${status}. ${sentence ?? ""}`;
}
