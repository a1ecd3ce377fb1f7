mod cookie;
mod renewal;

pub(crate) use renewal::renew;

use crate::{App, download::value, error::Error, login::Answer, person::Person};
use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use cookie::{IDLE_S, NAME, Session};
use decant_events::Username;
use decant_function::ClientAddress;
use renewal::Renewal;
use serde::{Deserialize, Serialize};

/// What a browser's page knows of its session.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionView {
    #[schema(value_type = String)]
    username: Username,
    admin: bool,
    /// What every change by this session brings along as `X-CSRF-Token`.
    csrf_token: String,
}

/// What auth answers to a login that went well.
#[derive(Deserialize)]
struct Login {
    token: String,
}

/// Signs a browser in.
///
/// What `/login` takes gives the cookie of a session.
#[utoipa::path(
    post,
    path = "/session",
    tag = "signing in",
    security(("basic" = [])),
    responses((status = 200, body = SessionView, headers(("Set-Cookie" = String, description = "`decant_session`")))),
    extensions(("x-errors" = json!([
        "missing-credentials", "wrong-credentials", "too-many-failures", "busy", "users-unavailable", "auth-unavailable",
        "invalid-token"
    ])))
)]
pub(crate) async fn sign_in(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let json = HeaderValue::from_static("application/json");
    let mut answer = Answer::of_auth(&app, peer, &headers, Some(json)).await?;
    if answer.status != StatusCode::OK {
        // It would have browsers show a dialog of their own.
        answer.headers.remove(header::WWW_AUTHENTICATE);
        return Ok(answer.into_response());
    }
    let login: Login = serde_json::from_slice(&answer.body).map_err(|_| Error::AuthAway)?;
    let person = app.public_keys.verify(&login.token)?;
    let session = Session::at(now(), login.token);
    let https = app.trusted_proxies.https(peer, &headers);
    let cookie = set_cookie(&app, &session, person.until, https);
    let view = SignedIn { person, session }.view(&app);
    Ok(([(header::SET_COOKIE, cookie)], view).into_response())
}

/// Says whose session it is.
#[utoipa::path(
    get,
    path = "/session",
    tag = "signing in",
    security(("session" = [])),
    responses((status = 200, body = SessionView)),
    extensions(("x-errors" = json!(["missing-token", "invalid-token", "expired-token"])))
)]
pub(crate) async fn show(State(app): State<App>, signed_in: SignedIn) -> Response {
    signed_in.view(&app).into_response()
}

/// Signs a browser out.
///
/// The token itself lives on until it expires: nobody has it but that browser.
#[utoipa::path(
    delete,
    path = "/session",
    tag = "signing in",
    security(("session" = [], "csrf" = []), ()),
    responses((status = 204, headers(("Set-Cookie" = String, description = "The cookie goes.")))),
    extensions(("x-errors" = json!(["csrf"])))
)]
pub(crate) async fn sign_out(
    State(app): State<App>,
    signed_in: Result<SignedIn, Error>,
) -> Result<Response, Error> {
    // One that is over already, or isn't ours, goes all the same.
    if let Err(forged @ Error::Csrf) = signed_in {
        return Err(forged);
    }
    let gone = format!(
        "{NAME}=; HttpOnly; SameSite=Strict; Path={}; Max-Age=0",
        app.base_path.root()
    );
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// Whose session a request belongs to, by its cookie alone.
#[derive(Debug, Clone)]
pub(crate) struct SignedIn {
    pub(crate) person: Person,
    session: Session,
}

impl SignedIn {
    /// The session of a request. One that would change something has to prove that it comes from a page of ours.
    pub(crate) fn of(parts: &Parts, app: &App) -> Result<Self, Error> {
        let session = Session::of(&parts.headers, &app.link_secret, now())?;
        let session = session.ok_or(Error::MissingToken)?;
        let person = app.public_keys.verify(&session.token)?;
        let csrf_token = parts.headers.get("x-csrf-token").map(HeaderValue::to_str);
        let proven =
            matches!(csrf_token, Some(Ok(given)) if session.is_csrf_token(given, &app.link_secret));
        if !parts.method.is_safe() && !proven {
            return Err(Error::Csrf);
        }
        let signed_in = Self { person, session };
        if let Some(renewal) = parts.extensions.get::<Renewal>()
            && signed_in.session.is_due(now())
        {
            renewal.note(&signed_in);
        }
        Ok(signed_in)
    }

    fn view(self, app: &App) -> impl IntoResponse + use<> {
        let view = SessionView {
            csrf_token: self.session.csrf_token(&app.link_secret),
            username: self.person.username,
            admin: self.person.admin,
        };
        ([(header::CACHE_CONTROL, "no-store")], Json(view))
    }
}

impl FromRequestParts<App> for SignedIn {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        Self::of(parts, app)
    }
}

/// The cookie of a session whose token ends at `until` (seconds since 1970).
fn set_cookie(app: &App, session: &Session, until: u64, https: bool) -> HeaderValue {
    let seconds = IDLE_S.min(until.saturating_sub(now()));
    value(&format!(
        "{NAME}={}; HttpOnly; SameSite=Strict; Path={}; Max-Age={seconds}{}",
        session.seal(&app.link_secret),
        app.base_path.root(),
        if https { "; Secure" } else { "" },
    ))
}

/// Seconds since 1970.
fn now() -> u64 {
    u64::try_from(chrono::Utc::now().timestamp()).unwrap_or(0)
}
