import "./styles/tokens.css";
import "./styles/page.css";
import "./styles/controls.css";
import "./styles/card.css";
import "./styles/dialog.css";
import { onSignedOut, Problem } from "./api.ts";
import { Dashboard } from "./dashboard.ts";
import { currentSession, keepAlive, type Session } from "./session.ts";
import { pauseMs } from "./uploads/verdict.ts";
import { signInAgain, signInPage } from "./view/sign-in.ts";

const place = document.getElementById("page") as HTMLElement;
let dashboard: Dashboard | null = null;
let asking = false;

async function begin(failures = 0): Promise<void> {
  try {
    const session = await currentSession();
    if (session) enter(session);
    else signInPage(place, (session) => enter(session).focus());
  } catch (problem) {
    place.textContent = problem instanceof Problem ? problem.detail : String(problem);
    setTimeout(() => void begin(failures + 1), pauseMs(failures, null));
  }
}

function enter(session: Session): Dashboard {
  dashboard = new Dashboard(place, session);
  void dashboard.start();
  return dashboard;
}

onSignedOut(() => {
  if (!dashboard || asking) return;
  asking = true;
  const { username } = dashboard.session;
  signInAgain(username, (session) => {
    asking = false;
    if (!session) return; // whatever needs one asks again
    // Somebody else must not find the page of the one before.
    if (session.username === username) dashboard?.resume();
    else location.reload();
  });
});

keepAlive(() => dashboard?.isBusy ?? false);
void begin();
