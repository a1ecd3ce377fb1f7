import type { Options } from "../options.ts";

/** A job as the API shows it: `docs/contracts.md` has every field. */
export interface Job {
  /** 24 hex digits, the first eight of them seconds since 1970: so ids sort by when their uploads began. */
  id: string;
  state: "waiting" | "queued" | "converting" | "ready" | "failed" | "expired";
  username: string;
  file_name: string;
  title: string;
  size_bytes: number | null;
  options: Options | null;
  progress_percent: number;
  mp3_fid: string | null;
  mp3_size_bytes: number | null;
  duration_ms: number | null;
  problem: { code: string; detail: string } | null;
  created_at: string;
  updated_at: string;
  run: number;
  /** Rises with every change; of two states of a job the one with the greater version is newer. */
  version: number;
  jobs_ahead: number | null;
  /** Seconds of sound per second. */
  speed: number | null;
  time_left_s: number | null;
  expires_at: string | null;
  video_expires_at: string | null;
  can_retry: boolean;
}

export function isUnfinished(job: Job): boolean {
  return job.state === "waiting" || job.state === "queued" || job.state === "converting";
}
