import alert from "lucide-static/icons/circle-alert.svg?raw";
import archive from "lucide-static/icons/archive.svg?raw";
import check from "lucide-static/icons/check.svg?raw";
import chevron from "lucide-static/icons/chevron-down.svg?raw";
import clock from "lucide-static/icons/clock.svg?raw";
import download from "lucide-static/icons/download.svg?raw";
import file from "lucide-static/icons/file-video.svg?raw";
import link from "lucide-static/icons/link.svg?raw";
import mail from "lucide-static/icons/mail.svg?raw";
import music from "lucide-static/icons/audio-lines.svg?raw";
import offline from "lucide-static/icons/wifi-off.svg?raw";
import pause from "lucide-static/icons/pause.svg?raw";
import pencil from "lucide-static/icons/pencil.svg?raw";
import play from "lucide-static/icons/play.svg?raw";
import retry from "lucide-static/icons/rotate-ccw.svg?raw";
import signOut from "lucide-static/icons/log-out.svg?raw";
import sliders from "lucide-static/icons/sliders-horizontal.svg?raw";
import trash from "lucide-static/icons/trash-2.svg?raw";
import upload from "lucide-static/icons/upload.svg?raw";
import x from "lucide-static/icons/x.svg?raw";

const sources = {
  alert, archive, check, chevron, clock, download, file, link, mail, music, offline, pause, pencil, play, retry,
  signOut, sliders, trash, upload, x,
};

export type IconName = keyof typeof sources;

/** An icon that says nothing to a screen reader: the words beside it do. */
export function icon(name: IconName): SVGElement {
  const parsed = new DOMParser().parseFromString(sources[name], "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true) as unknown as SVGElement;
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  return svg;
}
