import { Problem } from "../api.ts";
import { parseTime, writeTime, type Options } from "../options.ts";
import { button } from "./buttons.ts";
import { dialog } from "./dialog.ts";
import { h, set, write } from "./dom.ts";
import { choice, field, text, toggle } from "./fields.ts";
import { Trim } from "./trim.ts";

const QUALITIES: [string, string][] = [
  ["", "Very good (V2)"],
  ["v0", "Best (V0)"],
  ["v4", "Good, smaller (V4)"],
  ["v6", "For speech, smallest (V6)"],
  ...["128", "160", "192", "224", "256", "320"].map((rate): [string, string] => [`${rate}k`, `Constant, ${rate} kb/s`]),
];

const LOUDNESSES: [string, string][] = [
  ["", "As it is"],
  ["-16", "Podcasts and phones (−16 LUFS)"],
  ["-14", "Music streaming (−14 LUFS)"],
  ["-23", "Broadcast (−23 LUFS)"],
];

const RATES: [string, string][] = [
  ["", "As in the video"],
  ...[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000].map((hz): [string, string] => [String(hz), `${hz / 1000} kHz`]),
];

const TAGS = ["title", "artist", "album", "year", "comment"] as const;
const TAG_LABELS = { title: "Title", artist: "Artist", album: "Album", year: "Year", comment: "Comment" };

export interface Asking {
  title: string;
  /** What the button says. */
  does: string;
  options: Options;
  /** The sound to trim on: what the MP3 has of it. */
  sound?: { levels: number[]; lengthS: number };
  /** Does what was asked for. What it throws is shown, and the dialog stays. */
  take(options: Options): Promise<void> | void;
}

/** Asks how a video is to be converted. */
export function askOptions({ title, does, options, sound, take }: Asking): void {
  const given = (value: string | number | undefined): string => (value === undefined ? "" : String(value));
  const time = (seconds: number | undefined): string => (seconds === undefined ? "" : writeTime(seconds));
  const quality = choice(given(options.quality === "v2" ? "" : options.quality), QUALITIES);
  const loudness = choice(given(options.loudness), LOUDNESSES);
  const start = text(time(options.start), { placeholder: "0:00", inputmode: "text" });
  const end = text(time(options.end), { placeholder: "the end" });
  const fade = text(given(options.fade), { placeholder: "0", inputmode: "decimal" });
  const track = text(given(options.track), { placeholder: "the first choice of the video" });
  const mono = toggle("Mono", options.mono ?? false, "Both channels in one: half the size for speech");
  const rate = choice(given(options.sample_rate), RATES);
  const tags = TAGS.map((tag) => text(given(options[tag]), { placeholder: "from the video" }));
  const complaint = h("p", { class: "complaint", role: "alert" });

  // The MP3 begins where it was cut before.
  const offset = options.start ?? 0;
  const trim = sound
    ? new Trim(sound.levels, sound.lengthS, (edge, at) => ((edge === "start" ? start : end).value = writeTime(offset + at)))
    : null;
  const follow = (): void => {
    const from = start.value.trim() ? parseTime(start.value) : 0;
    const to = end.value.trim() ? parseTime(end.value) : Infinity;
    if (from !== null && to !== null) trim?.put(from - offset, to - offset);
  };
  for (const each of [start, end]) each.addEventListener("input", follow);

  const read = (): Options => {
    const asked: Options = {};
    if (quality.value) asked.quality = quality.value;
    if (mono.box.checked) asked.mono = true;
    if (rate.value) asked.sample_rate = Number(rate.value);
    const times = { start: readTime(start), end: readTime(end), fade: readTime(fade) };
    if (times.start) asked.start = times.start;
    if (times.end !== null) asked.end = times.end;
    if (times.fade) asked.fade = times.fade;
    if (times.end !== null && times.end <= (times.start ?? 0)) throw wrong(end, "The end has to be later than the start.");
    if (loudness.value) asked.loudness = Number(loudness.value);
    const which = track.value.trim();
    if (which) asked.track = /^\d+$/.test(which) ? Number(which) : which;
    for (const [index, tag] of TAGS.entries()) {
      const said = tags[index]?.value.trim();
      if (said) asked[tag] = said;
    }
    return asked;
  };

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    for (const each of [start, end, fade]) set(each, "aria-invalid", null);
    write(complaint, "");
    try {
      await take(read());
      element.close();
    } catch (problem) {
      write(complaint, problem instanceof Problem || problem instanceof Complaint ? problem.message : "That didn't work. Try again.");
    }
  };

  const part = h(
    "fieldset",
    {},
    h("legend", {}, "Only a part of it"),
    trim?.element ?? null,
    h("div", { class: "fields" }, field("Start", start), field("End", end), field("Fade", fade)),
    h("p", { class: "hint" }, "Times such as 90.5, 1:30 or 1:02:03.5, exact to the sample. A fade is so many seconds, in and out."),
  );
  const more = h(
    "details",
    { class: "more" },
    h("summary", {}, "More"),
    h("div", { class: "fields" }, field("Sound track", track, "A number from 1, or a language: en, deu"), field("Sample rate", rate)),
    mono.element,
    h("div", { class: "fields" }, ...TAGS.map((tag, index) => field(TAG_LABELS[tag], tags[index] ?? text("")))),
  );
  more.open = track.value !== "" || mono.box.checked || rate.value !== "" || tags.some((tag) => tag.value !== "");
  const reset = button("Reset", null, () => {
    for (const each of [quality, loudness, start, end, fade, track, rate, ...tags]) each.value = "";
    mono.box.checked = false;
    follow();
  });
  const form = h(
    "form",
    { class: "options", novalidate: true, onsubmit: submit },
    h("div", { class: "fields" }, field("Quality", quality), field("Loudness", loudness)),
    part,
    more,
    h("footer", { class: "dialog-foot" }, complaint, reset, h("button", { type: "submit", class: "button main" }, h("span", {}, does))),
  );
  const element = dialog(title, form);
  element.classList.add("wide");
  element.addEventListener("close", () => trim?.drop());
  follow();
  quality.focus();
}

class Complaint extends Error {}

function wrong(input: HTMLInputElement, words: string): Complaint {
  set(input, "aria-invalid", "true");
  input.focus();
  return new Complaint(words);
}

function readTime(input: HTMLInputElement): number | null {
  if (!input.value.trim()) return null;
  const seconds = parseTime(input.value);
  if (seconds === null) throw wrong(input, `“${input.value}” is no time. Write 90.5, 1:30 or 1:02:03.5.`);
  return seconds;
}
