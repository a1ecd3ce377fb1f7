import { isUnfinished } from "./jobs/job.ts";
import type { Entry } from "./shelf.ts";
import { percent } from "./words.ts";

/** The name of the tab: how far things are, for whoever works in another one. */
export function titleOf(entries: Entry[]): string {
  const parts = entries.flatMap((entry) => progress(entry) ?? []);
  if (parts.length === 0) return "Decant";
  const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
  return parts.length === 1 ? `${percent(mean)} · Decant` : `${percent(mean)} of ${parts.length} · Decant`;
}

/** 0 to 1; `null` of what isn't under way. */
function progress({ job, upload }: Entry): number | null {
  if (job) return isUnfinished(job) ? job.progress_percent / 100 : null;
  return upload?.phase === "sending" ? upload.sent / Math.max(1, upload.size) : null;
}
