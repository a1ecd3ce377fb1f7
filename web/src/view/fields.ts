import { h, newId } from "./dom.ts";
import { icon } from "./icons.ts";

type Control = HTMLInputElement | HTMLSelectElement;

/** A control with its label, and a hint below that a screen reader reads with it. */
export function field(label: string, control: Control, hint = ""): HTMLElement {
  const id = newId();
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    // Browsers' own arrows differ, and none follows the colours here.
    control instanceof HTMLSelectElement ? h("div", { class: "select" }, control, icon("chevron")) : control,
    hint ? h("p", { id: `${id}-hint`, class: "hint" }, hint) : null,
  );
}

export function text(value: string, attributes: Record<string, string | number> = {}): HTMLInputElement {
  const input = h("input", { type: "text", autocomplete: "off", ...attributes });
  input.value = value;
  return input;
}

/** A choice among values, each with its words. A value that isn't among them gets a line of its own. */
export function choice(value: string, choices: [value: string, words: string][]): HTMLSelectElement {
  const known = choices.some(([each]) => each === value) ? choices : [...choices, [value, value] as [string, string]];
  const select = h("select", {}, ...known.map(([each, words]) => h("option", { value: each }, words)));
  select.value = value;
  return select;
}

/** Something that is asked for or not. */
export function toggle(label: string, on: boolean, hint: string): { element: HTMLElement; box: HTMLInputElement } {
  const id = newId();
  const box = h("input", { type: "checkbox", id, "aria-describedby": `${id}-hint` });
  box.checked = on;
  const words = h("span", {}, h("label", { for: id }, label), h("span", { id: `${id}-hint`, class: "hint" }, hint));
  return { element: h("div", { class: "toggle" }, box, words), box };
}
