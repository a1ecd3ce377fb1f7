import type { Problem } from "../api.ts";

/**
 * - `queued`: others go first
 * - `sending`
 * - `lost`: it failed, and goes on by itself
 * - `needs-file`: after a reload, only the person knows where the file is
 * - `needs-permission`: the browser knows, and wants to be allowed
 * - `failed`: it won't go on by itself
 * - `done`: the server has it
 */
export type Phase = "queued" | "sending" | "lost" | "needs-file" | "needs-permission" | "failed" | "done";

/** How far an upload is. */
export interface Sending {
  readonly phase: Phase;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly sent: number;
  /** Seconds, where they can be known. */
  readonly leftS: number | null;
  /** Why it is `lost` or `failed`. */
  readonly problem: Problem | null;
  /** The job that it becomes, once the server has named it. */
  readonly jobId: string | null;
}
