import { call } from "../api.ts";
import type { Options } from "../options.ts";
import type { Job } from "./job.ts";

export interface Page {
  jobs: Job[];
  /** The cursor of the next page. */
  next: string | null;
}

export async function list(cursor?: string): Promise<Page> {
  const answer = await call("GET", cursor ? `jobs?cursor=${encodeURIComponent(cursor)}` : "jobs");
  return answer.json();
}

export async function show(id: string): Promise<Job> {
  return (await call("GET", `jobs/${id}`)).json();
}

/** Cancels what runs, and deletes what is stored. */
export async function remove(id: string): Promise<void> {
  await call("DELETE", `jobs/${id}`);
}

/** Converts again. Without options, with the same ones as before. */
export async function retry(id: string, options?: Options): Promise<Job> {
  if (!options) return (await call("POST", `jobs/${id}/retry`)).json();
  // An empty object means "as before"; this one is not empty, and asks for nothing.
  const asked = Object.keys(options).length > 0 ? options : { mono: false };
  return (await call("POST", `jobs/${id}/retry`, json(asked))).json();
}

/** An empty title gives the file's name back. */
export async function rename(id: string, title: string): Promise<Job> {
  return (await call("PATCH", `jobs/${id}`, json({ title }))).json();
}

/** How loud the MP3 is: the greatest level of each of as many equal parts, 0 to 1. `null` if nobody drew it. */
export async function waveform(id: string): Promise<number[] | null> {
  try {
    const { points } = (await (await call("GET", `jobs/${id}/waveform`)).json()) as { points: number[] };
    return points.map((point) => point / 255);
  } catch {
    return null; // a copied track has none, and a player without its waveform is a player still
  }
}

/** A link that works without signing in, and until when. */
export async function link(id: string): Promise<{ address: string; expiresAt: Date }> {
  const { href, expires_at } = (await (await call("GET", `jobs/${id}/link`)).json()) as Record<string, string>;
  return { address: new URL(href ?? "", document.baseURI).href, expiresAt: new Date(expires_at ?? "") };
}

/** Where an MP3 is, for whoever is signed in. */
export function downloadAddress(mp3: string): string {
  return `download?id=${mp3}`;
}

function json(body: unknown): RequestInit {
  return { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
}
