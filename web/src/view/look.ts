import type { Job } from "../jobs/job.ts";
import type { Sending } from "../uploads/sending.ts";
import * as words from "../words.ts";
import type { IconName } from "./icons.ts";

/** What a card is about. Its buttons depend on nothing else. */
export type Kind =
  | "queued" // to be uploaded, others go first
  | "uploading"
  | "lost"
  | "needs-file"
  | "needs-permission"
  | "upload-failed"
  | "waiting"
  | "converting"
  | "ready"
  | "failed"
  | "expired";

/** How a card looks. */
export interface Look {
  kind: Kind;
  title: string;
  /** The video. */
  source: string;
  icon: IconName;
  /** One line, always there. */
  status: string;
  /** 0 to 1 of the bar; `null` where there is none. */
  fraction: number | null;
  /** Instead of the bar: what happened, for people. */
  sentence: string | null;
}

/** `me` is who looks: the jobs of others say whose they are. */
export function lookOf({ upload, job }: { upload: Sending | null; job: Job | null }, me: string): Look {
  if (job) return ofJob(job, me);
  if (upload) return ofUpload(upload);
  throw new Error("a card of nothing");
}

function ofUpload(upload: Sending): Look {
  const fraction = upload.size > 0 ? upload.sent / upload.size : 0;
  const { name } = upload;
  const basis = {
    title: stem(name),
    source: `${kindOf(name, stem(name))} · ${words.size(upload.size)}`,
    icon: "upload" as IconName,
    fraction,
    sentence: null,
  };
  const done = words.percent(fraction);
  switch (upload.phase) {
    case "queued":
      return { ...basis, kind: "queued", icon: "clock", status: "Waits for the uploads before it" };
    case "sending":
      return { ...basis, kind: "uploading", status: `Uploading ${done}${remaining(upload.leftS)}` };
    case "lost": {
      const why = upload.problem;
      const status = why?.isUnreachable ?? true ? `Connection lost at ${done}. It goes on by itself` : (why?.detail ?? "");
      return { ...basis, kind: "lost", icon: "offline", status: why?.isSignedOut ? `Stopped at ${done} until you sign in` : status };
    }
    case "needs-file":
      return { ...basis, kind: "needs-file", icon: "file", status: `Stopped at ${done}. Choose the file again to go on` };
    case "needs-permission":
      return { ...basis, kind: "needs-permission", icon: "file", status: `Stopped at ${done}. Go on where it was?` };
    case "failed":
      return { ...basis, kind: "upload-failed", icon: "alert", status: "Not uploaded", sentence: upload.problem?.detail ?? "" };
    case "done":
      return { ...basis, kind: "waiting", icon: "clock", fraction: 0, status: "Uploaded" };
  }
}

function ofJob(job: Job, me: string): Look {
  const owner = job.username === me ? [] : [job.username];
  const source = [kindOf(job.file_name, job.title), ...(job.size_bytes === null ? [] : [words.size(job.size_bytes)]), ...owner].join(" · ");
  const basis = { title: job.title, source, sentence: null };
  switch (job.state) {
    case "waiting":
    case "queued":
      return { ...basis, kind: "waiting", icon: "clock", fraction: 0, status: words.queue(job.jobs_ahead) };
    case "converting": {
      const fraction = job.progress_percent / 100;
      const speed = job.speed === null ? "" : `, ${words.speed(job.speed)}`;
      return { ...basis, kind: "converting", icon: "music", fraction, status: `Converting ${words.percent(fraction)}${speed}` };
    }
    case "ready": {
      const size = words.size(job.mp3_size_bytes ?? 0);
      const until = job.expires_at ? ` · until ${words.day(new Date(job.expires_at))}` : "";
      return { ...basis, kind: "ready", icon: "play", fraction: 0, status: `${size}${until}` };
    }
    case "failed":
      return { ...basis, kind: "failed", icon: "alert", fraction: null, status: "Not converted", sentence: job.problem?.detail ?? "" };
    case "expired":
      return { ...basis, kind: "expired", icon: "archive", fraction: null, status: "Expired", sentence: expired(job) };
  }
}

function stem(name: string): string {
  return name.replace(/(.)\.[^.]+$/, "$1");
}

/** What says which video it was: its name, or what its name has beyond the title. */
function kindOf(name: string, title: string): string {
  const extension = name.slice(title.length + 1);
  return stem(name) === title && extension ? extension.toUpperCase() : name;
}

function remaining(seconds: number | null): string {
  return seconds === null ? "" : `, ${words.left(seconds)}`;
}

function expired({ can_retry }: Job): string {
  const again = can_retry ? " The video is still here." : " Upload the video again to get another.";
  return `Its MP3 was deleted.${again}`;
}
