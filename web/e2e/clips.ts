import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** 320 × 240 points of 12 bits. */
const FRAME_BYTES = 115_200;

/** Videos by the system's ffmpeg, in a folder that goes with the tests. */
export class Clips {
  readonly folder = mkdtempSync(join(tmpdir(), "decant-clips-"));

  /** With a sound that swells and ebbs, so that its waveform is one. A long one is a minute, over and over. */
  talk(name: string, seconds: number): string {
    const piece = Math.min(seconds, 60);
    const sound = `sine=f=330:r=22050:d=${piece},volume=7,tremolo=f=0.1:d=0.7,tremolo=f=0.23:d=0.6`;
    const pictures = `color=c=0x8e1f4f:s=32x32:r=1:d=${piece}`;
    const what = ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", sound, "-c:v", "mpeg4", "-c:a", "aac", "-b:a", "32k"];
    if (piece === seconds) return this.#make(name, what);
    const minute = this.#make(`piece of ${name}`, what);
    return this.#make(name, ["-stream_loop", "-1", "-i", minute, "-c", "copy", "-t", String(seconds)]);
  }

  /** About so many bytes: ten seconds of sound under pictures as they are. The name ends with `.mkv`. */
  large(name: string, bytes: number): string {
    const rate = bytes / FRAME_BYTES / 10;
    const pictures = `color=s=320x240:r=${rate.toFixed(1)}:d=10,format=yuv420p`;
    return this.#make(name, ["-f", "lavfi", "-i", pictures, "-f", "lavfi", "-i", "sine=d=10", "-c:v", "rawvideo"]);
  }

  silent(name: string): string {
    return this.#make(name, ["-f", "lavfi", "-i", "color=s=64x64:r=5:d=2"]);
  }

  gone(): void {
    rmSync(this.folder, { recursive: true });
  }

  #make(name: string, what: string[]): string {
    const path = join(this.folder, name);
    if (existsSync(path)) return path; // asked for again, it is the same file
    execFileSync("ffmpeg", ["-v", "error", "-y", ...what, path]);
    return path;
  }
}
