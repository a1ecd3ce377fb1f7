/** Widths in CSS pixels. */
const BAR = 3;
const GAP = 2;

/** How long a progress that was told glides to where it is now, and a waveform grows. */
const GLIDE_MS = 700;

const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

/**
 * Bars on a canvas, filled from the left. While something is on its way they lie low and tell how far it is; then they
 * grow into the waveform. So nothing on a card moves when its job goes on.
 */
export class Wave {
  readonly canvas = document.createElement("canvas");
  readonly #resting: number[];
  #levels: number[] | null = null;
  #grown = 0;
  #fraction = 0;
  /** Where the fraction glides to. */
  #goal = 0;
  #kept: [number, number] = [0, 1];
  readonly #frames = { glide: 0, grow: 0 };
  readonly #observer = new ResizeObserver(() => this.#draw());
  readonly #redraw = () => this.#draw();

  /** The same seed makes the same resting bars. */
  constructor(seed: string) {
    this.#resting = resting(seed);
    this.#observer.observe(this.canvas);
    dark.addEventListener("change", this.#redraw);
  }

  /** Shows these levels (0 to 1); growing, if somebody was watching. */
  show(levels: number[] | null, growing: boolean): void {
    this.#levels = levels;
    this.#grown = levels && growing ? 0 : 1;
    cancelAnimationFrame(this.#frames.grow);
    if (growing) this.#animate("grow", (part) => (this.#grown = 1 - (1 - part) ** 3));
    this.#draw();
  }

  /** Fills it from the left, at once or gliding there. */
  fill(fraction: number, gliding: boolean): void {
    if (fraction === this.#goal) return;
    this.#goal = fraction;
    const from = this.#fraction;
    if (gliding && fraction > from) return this.#animate("glide", (part) => (this.#fraction = from + (fraction - from) * part));
    cancelAnimationFrame(this.#frames.glide);
    this.#fraction = fraction;
    this.#draw();
  }

  /** Only this part counts; the rest is drawn faintly. */
  keep(start: number, end: number): void {
    this.#kept = [start, end];
    this.#draw();
  }

  /** It is no longer looked at. */
  drop(): void {
    this.#observer.disconnect();
    dark.removeEventListener("change", this.#redraw);
    for (const frame of Object.values(this.#frames)) cancelAnimationFrame(frame);
  }

  #animate(what: "glide" | "grow", step: (part: number) => void): void {
    cancelAnimationFrame(this.#frames[what]);
    const begun = performance.now();
    const next = (now: number): void => {
      const part = still.matches ? 1 : Math.min(1, Math.max(0, (now - begun) / GLIDE_MS));
      step(part);
      this.#draw();
      if (part < 1) this.#frames[what] = requestAnimationFrame(next);
    };
    next(begun);
  }

  #draw(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const context = this.canvas.getContext("2d");
    if (!context || width === 0) return;
    const scale = devicePixelRatio;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    context.scale(scale, scale);
    const style = getComputedStyle(this.canvas);
    const [full, rest] = [style.getPropertyValue("--wave"), style.getPropertyValue("--wave-rest")];
    const bars = this.#bars(width, height);
    const paint = (colour: string, from: number, to: number, alpha: number): void => {
      if (to <= from) return;
      context.save();
      context.beginPath();
      context.rect(from * width, 0, (to - from) * width, height);
      context.clip();
      context.globalAlpha = alpha;
      context.fillStyle = colour;
      context.fill(bars);
      context.restore();
    };
    const [start, end] = this.#kept;
    const at = Math.min(end, Math.max(start, this.#fraction));
    paint(rest, 0, start, 0.45);
    paint(full, start, at, 1);
    paint(rest, at, end, 1);
    paint(rest, end, 1, 0.45);
  }

  #bars(width: number, height: number): Path2D {
    const count = Math.max(1, Math.floor((width + GAP) / (BAR + GAP)));
    const pitch = (width + GAP) / count;
    const path = new Path2D();
    for (let bar = 0; bar < count; bar += 1) {
      const low = this.#resting[bar % this.#resting.length] ?? 0.1;
      const level = this.#levels ? loudest(this.#levels, bar / count, (bar + 1) / count) : low;
      const tall = Math.max(BAR, (low + (level - low) * this.#grown) * height);
      path.roundRect(bar * pitch, (height - tall) / 2, BAR, tall, BAR / 2);
    }
    return path;
  }
}

/** The greatest of the levels between two parts of the whole. */
export function loudest(levels: readonly number[], from: number, to: number): number {
  const first = Math.min(levels.length - 1, Math.floor(from * levels.length));
  const last = Math.max(first + 1, Math.ceil(to * levels.length));
  return Math.max(...levels.slice(first, last));
}

/** Low bars that swell and ebb, from a seed (a linear congruential generator: it need not be good, only always the same). */
function resting(seed: string): number[] {
  let state = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
  const random = (): number => {
    state = (state * 1664525 + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const phase = random() * Math.PI * 2;
  return Array.from({ length: 240 }, (_, bar) => {
    const swell = 0.5 + 0.5 * Math.sin(phase + bar / 7) * Math.sin(bar / 17);
    return 0.1 + 0.16 * swell + 0.08 * random();
  });
}
