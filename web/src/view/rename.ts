import { h } from "./dom.ts";

const MOST = 200;

/** Makes a field of a title until Enter or leaving it saves, or Escape gives up. */
export function editTitle(head: HTMLElement, title: HTMLElement, save: (title: string) => void): void {
  if (head.querySelector("input")) return;
  const before = title.textContent ?? "";
  const field = h("input", {
    class: "title-field",
    "aria-label": "Title",
    maxlength: MOST,
    autocomplete: "off",
    enterkeyhint: "done",
  });
  field.value = before;
  let open = true;
  const end = (saves: boolean, byKey: boolean): void => {
    if (!open) return;
    open = false;
    field.replaceWith(title);
    if (byKey) head.querySelector("button")?.focus();
    if (saves && field.value.trim() !== before) save(field.value.trim());
  };
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // else the button that gets the keyboard would take the key, too
    end(event.key === "Enter", true);
  });
  field.addEventListener("blur", () => end(true, false));
  title.replaceWith(field);
  field.select();
  field.focus();
}
