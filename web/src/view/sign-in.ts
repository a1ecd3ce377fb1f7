import { Problem } from "../api.ts";
import { signIn, type Session } from "../session.ts";
import { dialog } from "./dialog.ts";
import { h, set, write } from "./dom.ts";
import { field } from "./fields.ts";
import { mark } from "./mark.ts";
import { Wave } from "./wave.ts";

/** Something to look at: a sound that swells and ebbs. */
const POURED = Array.from({ length: 90 }, (_, bar) => 0.08 + 0.92 * Math.abs(Math.sin(bar * 0.19) * Math.cos(bar * 0.053 + 0.4)));

/** The page of somebody who isn't signed in. */
export function signInPage(place: HTMLElement, then: (session: Session) => void): void {
  const wave = new Wave("pour");
  wave.show(POURED, false);
  wave.fill(0.38, false);
  const { form, first } = signInForm("", (session) => {
    wave.drop();
    then(session);
  });
  place.replaceChildren(
    h(
      "main",
      { class: "door" },
      h("div", { class: "door-wave", "aria-hidden": "true" }, wave.canvas),
      h("h1", { class: "wordmark" }, mark(), "Decant"),
      h("p", { class: "lead" }, "Pours the audio off a video."),
      form,
    ),
  );
  first.focus();
}

/**
 * The same in a dialog, over the page of somebody whose session ended: nothing behind it is lost. `null` where they closed
 * it.
 */
export function signInAgain(email: string, then: (session: Session | null) => void): void {
  let back: Session | null = null;
  const { form, second } = signInForm(email, (session) => {
    back = session;
    element.close();
  });
  const why = h("p", {}, "You were signed out because the page wasn't used for a while. What was under way goes on once you are back.");
  const element = dialog("Sign in again", why, form);
  element.addEventListener("close", () => then(back));
  second.focus();
}

function signInForm(
  email: string,
  then: (session: Session) => void,
): { form: HTMLFormElement; first: HTMLElement; second: HTMLElement } {
  const name = h("input", { type: "email", name: "username", autocomplete: "username", required: true });
  name.value = email;
  const password = h("input", { type: "password", name: "password", autocomplete: "current-password", required: true });
  const go = h("button", { type: "submit", class: "button main" }, h("span", {}, "Sign in"));
  const complaint = h("p", { class: "complaint", role: "alert" });
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (go.getAttribute("aria-disabled")) return;
    set(go, "aria-disabled", "true");
    write(complaint, "");
    try {
      then(await signIn(name.value.trim(), password.value));
    } catch (problem) {
      write(complaint, said(problem));
      password.select();
      password.focus();
    } finally {
      set(go, "aria-disabled", null);
    }
  };
  const form = h(
    "form",
    { class: "sign-in", onsubmit: submit },
    field("Email", name),
    field("Password", password),
    go,
    complaint,
  );
  return { form, first: name, second: password };
}

function said(problem: unknown): string {
  if (!(problem instanceof Problem)) return "That didn't work. Try again.";
  if (problem.code === "wrong-credentials") return "Email or password is wrong.";
  if (problem.status === 429) return `Too many tries. Wait ${waiting(problem.retryAfterS)}, then try again.`;
  return problem.detail;
}

function waiting(seconds: number | null): string {
  if (seconds === null) return "a while";
  return seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} seconds`;
}
