import type { Session } from "../session.ts";
import { counted } from "../words.ts";
import { button, iconButton } from "./buttons.ts";
import { h, newId, write } from "./dom.ts";
import type { DropPanel } from "./drop-panel.ts";
import { guide } from "./guide.ts";
import { icon } from "./icons.ts";
import { mark } from "./mark.ts";

/** The page of somebody who is signed in: a head, the place for videos, and the cards below it. */
export class Page {
  readonly cards = h("ul", { class: "cards" });
  readonly #guide = guide();
  readonly #count = h("span", { class: "count" });
  readonly #list: HTMLElement;
  readonly #older: HTMLButtonElement;
  readonly #connection = h("p", { class: "connection", role: "status" });

  constructor(place: HTMLElement, session: Session, panel: DropPanel, does: { signOut(): void; showOlder(): void }) {
    const id = newId();
    this.#older = button("Show older ones", "chevron", does.showOlder);
    const title = h("h2", { id, class: "list-title" }, session.admin ? "All MP3s" : "Your MP3s", this.#count);
    this.#list = h("section", { class: "list", "aria-labelledby": id }, title, this.cards, this.#older);
    const account = h("div", { class: "account" }, h("span", { class: "email" }, session.username));
    account.append(iconButton("Sign out", "signOut", does.signOut));
    place.replaceChildren(
      h("header", { class: "top" }, h("h1", { class: "wordmark" }, mark(), "Decant"), this.#connection, account),
      h("main", { class: "column" }, panel.element, this.#guide, this.#list),
      h("footer", { class: "column foot-note" }, h("a", { href: licences() }, "Licences of what this page is made of")),
    );
    this.#guide.hidden = this.#list.hidden = this.#older.hidden = true;
  }

  /** How many cards there are, and whether there are older ones. */
  show(cards: number, older: boolean): void {
    this.#guide.hidden = cards > 0;
    this.#list.hidden = cards === 0;
    this.#older.hidden = !older;
    write(this.#count, `${counted(cards, "video").split(" ")[0]}${older ? "+" : ""}`);
  }

  /** Whether the server can be reached. */
  connected(is: boolean): void {
    if (is) return this.#connection.replaceChildren();
    if (this.#connection.childElementCount > 0) return;
    this.#connection.append(icon("offline"), h("span", {}, "No connection"));
  }
}

/** The build has put it into the head of the page. */
function licences(): string {
  return document.querySelector<HTMLLinkElement>("link[rel=license]")?.href ?? "";
}
