import { announce } from "./announce.ts";
import { h } from "./dom.ts";
import { icon, type IconName } from "./icons.ts";

const SHOWN_MS = 6_000;
let shown: HTMLElement | null = null;

/** Says something that needs no answer, at the lower edge, and takes it away again. */
export function toast(words: string, name: IconName): void {
  shown?.remove();
  const element = h("p", { class: "toast", "aria-hidden": "true" }, icon(name), h("span", {}, words));
  shown = element;
  document.body.append(element);
  announce(words);
  setTimeout(() => element.remove(), SHOWN_MS);
}
