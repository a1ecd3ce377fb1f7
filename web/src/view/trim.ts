import { spokenClock } from "../words.ts";
import { h, set } from "./dom.ts";
import { Wave } from "./wave.ts";

/** Seconds. */
const STEP_S = 1;
const LEAP_S = 10;

/** The least that is left between the two handles. */
const LEAST_S = 0.1;

type Edge = "start" | "end";

/** A waveform with a handle at each end of the part that is wanted. Times are within the waveform. */
export class Trim {
  readonly element: HTMLElement;
  readonly #wave = new Wave("trim");
  readonly #handles: Record<Edge, HTMLElement>;
  #part: Record<Edge, number>;

  constructor(
    levels: number[],
    private readonly lengthS: number,
    private readonly moved: (edge: Edge, seconds: number) => void,
  ) {
    this.#part = { start: 0, end: lengthS };
    this.#handles = { start: this.#handle("start", "Start"), end: this.#handle("end", "End") };
    this.element = h("div", { class: "trim" }, this.#wave.canvas, this.#handles.start, this.#handles.end);
    this.#wave.show(levels, false);
    this.#wave.fill(1, false);
    this.#show();
  }

  /** The part that the fields name. */
  put(start: number, end: number): void {
    this.#part = { start: Math.min(Math.max(0, start), this.lengthS), end: Math.min(Math.max(0, end), this.lengthS) };
    this.#show();
  }

  drop(): void {
    this.#wave.drop();
  }

  #handle(edge: Edge, label: string): HTMLElement {
    const handle = h("span", { class: `handle ${edge}`, role: "slider", tabindex: 0, "aria-label": label, "aria-valuemin": 0 });
    set(handle, "aria-valuemax", Math.round(this.lengthS));
    handle.addEventListener("keydown", (event) => {
      const by: Record<string, number> = {
        ArrowRight: STEP_S,
        ArrowUp: STEP_S,
        ArrowLeft: -STEP_S,
        ArrowDown: -STEP_S,
        PageUp: LEAP_S,
        PageDown: -LEAP_S,
        Home: -this.lengthS,
        End: this.lengthS,
      };
      const step = by[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.#move(edge, this.#part[edge] + step);
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      const { left, width } = this.element.getBoundingClientRect();
      handle.onpointermove = ({ clientX }) => this.#move(edge, ((clientX - left) / width) * this.lengthS);
      handle.onpointerup = () => (handle.onpointermove = null);
    });
    return handle;
  }

  #move(edge: Edge, to: number): void {
    const { start, end } = this.#part;
    const [least, most] = edge === "start" ? [0, end - LEAST_S] : [start + LEAST_S, this.lengthS];
    const seconds = Math.round(Math.min(most, Math.max(least, to)) * 100) / 100;
    this.#part[edge] = seconds;
    this.#show();
    this.moved(edge, seconds);
  }

  #show(): void {
    const { start, end } = this.#part;
    this.#wave.keep(start / this.lengthS, end / this.lengthS);
    for (const edge of ["start", "end"] as const) {
      const handle = this.#handles[edge];
      // By the object model: a policy without inline styles allows that, and no attribute.
      handle.style.setProperty("left", `${(this.#part[edge] / this.lengthS) * 100}%`);
      set(handle, "aria-valuenow", Math.round(this.#part[edge]));
      set(handle, "aria-valuetext", spokenClock(this.#part[edge]));
    }
  }
}
