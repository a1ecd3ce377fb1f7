/** How long ago a byte may have been sent and still tell how fast it goes now. */
const WINDOW_MS = 8_000;

/** Below this nobody knows. */
const LEAST_MS = 1_000;

/** How fast an upload goes, from what was sent in the last seconds. */
export class Pace {
  #samples: { at: number; sent: number }[] = [];

  /** So many bytes had been sent at this moment (ms). */
  note(sent: number, at: number): void {
    const last = this.#samples.at(-1);
    // Fewer than before: the server has less than was sent, so counting begins anew.
    if (last && sent < last.sent) this.#samples = [];
    this.#samples.push({ at, sent });
    while (this.#samples.length > 2 && (this.#samples[0]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
  }

  /** What was before says nothing about what comes: a connection was lost. */
  forget(): void {
    this.#samples = [];
  }

  /** Seconds until all bytes are sent; `null` where that can't be known yet. */
  leftS(size: number, now: number): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (!first || !last || now - first.at < LEAST_MS || last.sent === first.sent) return null;
    const bytesPerMs = (last.sent - first.sent) / (now - first.at);
    return (size - last.sent) / bytesPerMs / 1000;
  }
}
