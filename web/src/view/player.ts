import { downloadAddress } from "../jobs/calls.ts";
import { clock, spokenClock } from "../words.ts";
import { h, set, write } from "./dom.ts";
import { icon } from "./icons.ts";
import type { Wave } from "./wave.ts";

const STEP_S = 5;
const LEAP_S = 30;

/** Only one plays at a time. */
let playing: Player | null = null;

/** Plays an MP3, on a waveform that is its slider. */
export class Player {
  readonly button: HTMLButtonElement;
  /** Where it is. */
  readonly place = h("span", { class: "place" });
  #audio: HTMLAudioElement | null = null;
  #title = "";

  constructor(
    private readonly slider: HTMLElement,
    private readonly wave: Wave,
    private readonly mp3: string,
    private readonly lengthS: number,
    /** Why it can't be heard. */
    private readonly failed: () => void,
  ) {
    this.button = h("button", { type: "button", class: "round play", onclick: () => this.#toggle() });
    for (const [name, value] of Object.entries({ role: "slider", tabindex: 0, "aria-valuemin": 0 })) set(slider, name, value);
    set(slider, "aria-valuemax", Math.round(lengthS));
    slider.onpointerdown = (event) => this.#grab(event);
    slider.onkeydown = (event) => this.#press(event);
    this.#tell();
  }

  named(title: string): void {
    this.#title = title;
    set(this.slider, "aria-label", `Place in ${title}`);
    this.#show();
  }

  stop(): void {
    this.#audio?.pause();
    this.#audio?.removeAttribute("src");
    this.#audio = null;
    if (playing === this) playing = null;
    this.slider.onpointerdown = null;
    this.slider.onkeydown = null;
  }

  get isPlaying(): boolean {
    return this.#audio !== null && !this.#audio.paused;
  }

  #toggle(): void {
    const audio = this.#loaded();
    if (!audio.paused) return audio.pause();
    if (playing && playing !== this) playing.#audio?.pause();
    playing = this;
    audio.play().catch(() => {}); // `error` says why
  }

  /** Nothing is fetched before somebody wants to hear it. */
  #loaded(): HTMLAudioElement {
    if (this.#audio) return this.#audio;
    const audio = new Audio(downloadAddress(this.mp3));
    audio.addEventListener("timeupdate", () => this.#tell());
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, () => this.#show());
    audio.addEventListener("error", () => {
      if (this.#audio !== audio) return;
      this.#audio = null; // the next try fetches it anew
      this.#show();
      this.failed();
    });
    this.#audio = audio;
    return audio;
  }

  get #at(): number {
    return this.#audio?.currentTime ?? 0;
  }

  #seek(seconds: number): void {
    this.#loaded().currentTime = Math.min(this.lengthS, Math.max(0, seconds));
    this.#tell();
  }

  #grab(event: PointerEvent): void {
    const { left, width } = this.slider.getBoundingClientRect();
    const move = ({ clientX }: PointerEvent): void => this.#seek(((clientX - left) / width) * this.lengthS);
    move(event);
    this.slider.setPointerCapture(event.pointerId);
    this.slider.onpointermove = move;
    this.slider.onpointerup = () => (this.slider.onpointermove = null);
  }

  #press(event: KeyboardEvent): void {
    const to: Record<string, number> = {
      ArrowRight: this.#at + STEP_S,
      ArrowUp: this.#at + STEP_S,
      ArrowLeft: this.#at - STEP_S,
      ArrowDown: this.#at - STEP_S,
      PageUp: this.#at + LEAP_S,
      PageDown: this.#at - LEAP_S,
      Home: 0,
      End: this.lengthS,
    };
    const seconds = to[event.key];
    if (event.key === " ") this.#toggle();
    else if (seconds !== undefined) this.#seek(seconds);
    else return;
    event.preventDefault();
  }

  #show(): void {
    const words = this.isPlaying ? "Pause" : "Play";
    this.button.replaceChildren(icon(this.isPlaying ? "pause" : "play"));
    set(this.button, "aria-label", `${words} ${this.#title}`);
    set(this.button, "title", words);
  }

  #tell(): void {
    this.wave.fill(this.lengthS > 0 ? this.#at / this.lengthS : 0, false);
    write(this.place, this.#audio ? `${clock(this.#at)} / ${clock(this.lengthS)}` : clock(this.lengthS));
    set(this.slider, "aria-valuenow", Math.round(this.#at));
    set(this.slider, "aria-valuetext", `${spokenClock(this.#at)} of ${spokenClock(this.lengthS)}`);
  }
}
