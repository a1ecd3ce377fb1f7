import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Videos by the system's ffmpeg, in a folder that goes with the tests. */
export class Clips {
  readonly folder = mkdtempSync(join(tmpdir(), "decant-clips-"));

  /** With a sound that swells and ebbs, so that its waveform is one. */
  talk(name: string, seconds: number): string {
    const sound = `aevalsrc='0.8*sin(330*2*PI*t)*(0.15+0.85*abs(sin(t*0.9)*sin(t*0.37+0.6)))':s=44100:d=${seconds}`;
    return this.#make(name, ["-f", "lavfi", "-i", `color=c=0x8e1f4f:s=64x64:r=5:d=${seconds}`, "-f", "lavfi", "-i", sound]);
  }

  /** So many bytes of pictures that nothing makes smaller, with ten seconds of sound. */
  large(name: string, bytes: number): string {
    const bits = String(Math.round((bytes * 8) / 10));
    const pictures = ["-f", "lavfi", "-i", "color=s=320x240:r=10:d=10,noise=alls=100:allf=t+u"];
    const rate = ["-c:v", "mpeg4", "-b:v", bits, "-minrate", bits, "-maxrate", bits, "-bufsize", bits, "-qmin", "1"];
    return this.#make(name, [...pictures, "-f", "lavfi", "-i", "sine=d=10", ...rate]);
  }

  silent(name: string): string {
    return this.#make(name, ["-f", "lavfi", "-i", "color=s=64x64:r=5:d=2"]);
  }

  gone(): void {
    rmSync(this.folder, { recursive: true });
  }

  #make(name: string, what: string[]): string {
    const path = join(this.folder, name);
    execFileSync("ffmpeg", ["-v", "error", "-y", ...what, path]);
    return path;
  }
}
