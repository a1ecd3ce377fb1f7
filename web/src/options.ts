/** What can be asked of a conversion, in the names of the API. What isn't asked for isn't named. */
export interface Options {
  quality?: string;
  mono?: boolean;
  sample_rate?: number;
  /** Seconds. */
  start?: number;
  end?: number;
  fade?: number;
  /** LUFS. */
  loudness?: number;
  /** A number from 1, or a language. */
  track?: number | string;
  title?: string;
  artist?: string;
  album?: string;
  year?: string;
  comment?: string;
}

/** Reads a time as people write it: `90.5`, `1:30`, `1:02:03.5`. `null` if it is none. */
export function parseTime(text: string): number | null {
  const parts = text.trim().replace(",", ".").split(":");
  if (parts.length > 3) return null;
  let seconds = 0;
  for (const [index, part] of parts.entries()) {
    const last = index === parts.length - 1;
    if (!(last ? /^\d+(\.\d+)?$/ : /^\d+$/).test(part)) return null;
    if (index > 0 && Number(part) >= 60) return null;
    seconds = seconds * 60 + Number(part);
  }
  return seconds;
}

/** Writes a time so that `parseTime` reads it back, to the hundredth: `1:02:03.5`. */
export function writeTime(seconds: number): string {
  const hundredths = Math.round(seconds * 100);
  const whole = Math.floor(hundredths / 100);
  const rest = hundredths % 100;
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const fraction = rest === 0 ? "" : `.${String(rest).padStart(2, "0").replace(/0$/, "")}`;
  const two = (part: number) => String(part).padStart(2, "0");
  return (h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`) + fraction;
}

/** The options as an upload's metadata carries them. */
export function asMetadata(options: Options): Record<string, string> {
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)]));
}

/** The options in a few words, for a button: `V0, from 1:30, loudness -16`. Empty if nothing is asked for. */
export function summary(options: Options): string {
  const words: string[] = [];
  const { quality, start, end, fade, loudness, track, mono, sample_rate } = options;
  if (quality) words.push(/k$/.test(quality) ? `${quality.slice(0, -1)} kb/s` : quality.toUpperCase());
  if (start !== undefined && end !== undefined) words.push(`${writeTime(start)} to ${writeTime(end)}`);
  else if (start !== undefined) words.push(`from ${writeTime(start)}`);
  else if (end !== undefined) words.push(`up to ${writeTime(end)}`);
  if (fade) words.push(`fade ${fade} s`);
  if (loudness !== undefined) words.push(`${String(loudness).replace("-", "−")} LUFS`);
  if (track !== undefined) words.push(`track ${track}`);
  if (mono) words.push("mono");
  if (sample_rate) words.push(`${sample_rate / 1000} kHz`);
  if (["title", "artist", "album", "year", "comment"].some((tag) => tag in options)) words.push("own tags");
  return words.join(", ");
}
