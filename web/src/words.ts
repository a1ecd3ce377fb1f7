/** How amounts are said. A number and its unit stay on one line. */

const GAP = "\u00a0";
const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** `5.1 MB`, by thousands as file managers do. */
export function size(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  const digits = unit > 0 && amount < 9.95 ? 1 : 0;
  return `${amount.toFixed(digits)}${GAP}${UNITS[unit]}`;
}

/** `3:45`, `1:02:03`: a length, or a place in it. */
export function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (part: number) => String(part).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** The same for a voice: `3 minutes 45 seconds`. */
export function spokenClock(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 3600), "hour"],
    [Math.floor(whole / 60) % 60, "minute"],
    [whole % 60, "second"],
  ];
  const said = parts.filter(([amount]) => amount > 0).map(([amount, unit]) => counted(amount, unit));
  return said.join(" ") || "0 seconds";
}

/** `12 s left`, `3 min left`: never more exact than anybody can know. */
export function left(seconds: number): string {
  if (seconds < 1) return "almost done";
  if (seconds < 90) return `${Math.ceil(seconds)}${GAP}s left`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}${GAP}min left`;
  return `${Math.round(seconds / 3600)}${GAP}h left`;
}

/** `43 %`. 100 only when it is over. */
export function percent(fraction: number): string {
  return `${Math.min(99, Math.max(0, Math.floor(fraction * 100)))}${GAP}%`;
}

/** `84 × real time`. */
export function speed(times: number): string {
  return `${times >= 10 ? Math.round(times) : times.toFixed(1)}${GAP}× real time`;
}

/** `waiting, 2 before you`. */
export function queue(ahead: number | null): string {
  if (ahead === null) return "Waiting";
  return ahead === 0 ? "Waiting, you are next" : `Waiting, ${ahead} before you`;
}

/** `3 March`, with the year where it is another one. */
export function day(date: Date, now = new Date()): string {
  const year = date.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", ...year }).format(date);
}

/** `1 file`, `3 files`. */
export function counted(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? "" : "s"}`;
}
