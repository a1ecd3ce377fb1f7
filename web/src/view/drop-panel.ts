import { summary, type Options } from "../options.ts";
import { dropped, pick, type Picked } from "../uploads/pick.ts";
import { counted } from "../words.ts";
import { button } from "./buttons.ts";
import { h, newId, write } from "./dom.ts";
import { icon } from "./icons.ts";
import { askOptions } from "./options-dialog.ts";

/** Where videos come in: chosen, or dropped anywhere on the page. */
export class DropPanel {
  readonly element: HTMLElement;
  readonly #choose = button("Choose files", "upload", () => void this.#pick(), "main");
  readonly #asking = button("Options", "sliders", () => this.#ask());
  readonly #headline = h("h2", {}, "Drop videos here");
  #options: Options = {};
  #depth = 0;

  constructor(private readonly take: (picked: Picked[], options: Options) => void) {
    const id = newId();
    this.#headline.id = id;
    this.element = h(
      "section",
      { class: "drop", "aria-labelledby": id },
      h("div", { class: "drop-icon" }, icon("music")),
      this.#headline,
      h("p", {}, "Each becomes an MP3. Large ones, too: an upload that breaks goes on where it was."),
      h("div", { class: "drop-buttons" }, this.#choose, this.#asking),
    );
    this.#accept();
  }

  focus(): void {
    this.#choose.focus();
  }

  async #pick(): Promise<void> {
    this.#give(await pick(true));
  }

  #give(picked: Picked[]): void {
    if (picked.length > 0) this.take(picked, this.#options);
  }

  #ask(): void {
    askOptions({
      title: "Options for the next uploads",
      does: "Use these",
      options: this.#options,
      take: (options) => {
        this.#options = options;
        const words = summary(options);
        write(this.#asking.lastElementChild ?? this.#asking, words ? `Options: ${words}` : "Options");
      },
    });
  }

  #accept(): void {
    addEventListener("dragenter", (event) => this.#drag(event, 1));
    addEventListener("dragleave", (event) => this.#drag(event, -1));
    addEventListener("dragover", (event) => {
      if (carriesFiles(event)) event.preventDefault();
    });
    addEventListener("drop", (event) => {
      if (!event.dataTransfer || !carriesFiles(event)) return;
      event.preventDefault();
      this.#depth = 0;
      this.#show(0);
      void dropped(event.dataTransfer).then((picked) => this.#give(picked));
    });
  }

  /** Every element that the pointer crosses is entered before the one around it is left. */
  #drag(event: DragEvent, by: number): void {
    if (!carriesFiles(event)) return;
    this.#depth += by;
    this.#show(this.#depth > 0 ? (event.dataTransfer?.items.length ?? 1) : 0);
  }

  #show(files: number): void {
    this.element.classList.toggle("dragged", files > 0);
    document.documentElement.classList.toggle("dragged", files > 0);
    write(this.#headline, files > 0 ? `Let go of ${counted(files, "file")}` : "Drop videos here");
  }
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
