import { button, iconButton } from "./buttons.ts";
import { h, newId } from "./dom.ts";

/** Makes a dialog that is gone when it is closed. The browser keeps the keyboard in it, and gives it back afterwards. */
export function dialog(title: string, ...content: (Node | string)[]): HTMLDialogElement {
  const id = newId();
  const close = iconButton("Close", "x", () => element.close());
  const head = h("header", { class: "dialog-head" }, h("h2", { id }, title), close);
  const element = h("dialog", { class: "dialog", "aria-labelledby": id }, head, ...content);
  element.addEventListener("close", () => element.remove());
  element.addEventListener("pointerdown", (event) => {
    if (event.target === element) element.close(); // beside it
  });
  document.body.append(element);
  element.showModal();
  return element;
}

/** Asks before something is done that nothing undoes. */
export function confirm(title: string, words: string, does: string): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = false;
    const keep = button("Keep it", null, () => element.close());
    const go = button(does, "trash", () => {
      answer = true;
      element.close();
    }, "main");
    const element = dialog(title, h("p", {}, words), h("footer", { class: "dialog-foot" }, keep, go));
    element.addEventListener("close", () => resolve(answer));
    keep.focus();
  });
}
