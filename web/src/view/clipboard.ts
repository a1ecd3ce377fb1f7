/**
 * Copies a text that is still on its way. The promise is handed to the browser at once, because a click allows copying for
 * a moment only. Without https there is no clipboard for scripts, but the command that is older than it.
 */
export async function copy(text: Promise<string>): Promise<void> {
  if (navigator.clipboard && "ClipboardItem" in window) {
    const blob = text.then((text) => new Blob([text], { type: "text/plain" }));
    return navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
  }
  const field = document.createElement("textarea");
  field.value = await text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (!copied) throw new Error("the browser doesn't copy");
}
