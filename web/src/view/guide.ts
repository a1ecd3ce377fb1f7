import { h } from "./dom.ts";
import { icon, type IconName } from "./icons.ts";

const STEPS: [IconName, string, string][] = [
  ["upload", "Upload", "Drop one video or twenty: MP4, MOV, MKV, WebM and most others. Sound files, too."],
  ["mail", "Leave, if you like", "Close this page when the upload has ended. A mail says when the MP3 is there."],
  ["link", "Listen, keep, share", "Play it here, download it, or copy a link for somebody without an account."],
];

/** What there is to see before there is anything. */
export function guide(): HTMLElement {
  const steps = STEPS.map(([name, title, words]) => h("li", {}, icon(name), h("h3", {}, title), h("p", {}, words)));
  return h("section", { class: "guide", "aria-label": "How it goes" }, h("ol", {}, ...steps));
}
