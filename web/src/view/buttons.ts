import { h } from "./dom.ts";
import { icon, type IconName } from "./icons.ts";

type Does = () => void;

/** A button with an icon and words. */
export function button(words: string, name: IconName | null, does: Does, kind = "plain"): HTMLButtonElement {
  return h("button", { type: "button", class: `button ${kind}`, onclick: does }, name && icon(name), h("span", {}, words));
}

/** A button that is an icon alone. What it does is its name, for a voice and under the pointer. */
export function iconButton(words: string, name: IconName, does: Does): HTMLButtonElement {
  const attributes = { type: "button", class: "icon-button", "aria-label": words, title: words, onclick: does };
  return h("button", attributes, icon(name));
}

/** A link to a file to keep, looking like the button of the most likely wish. */
export function linkButton(words: string, name: IconName, address: string): HTMLAnchorElement {
  return h("a", { class: "button main", href: address, download: true }, icon(name), h("span", {}, words));
}
