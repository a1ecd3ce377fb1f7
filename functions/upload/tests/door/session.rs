use super::*;
use crate::keys::{claims, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

const CSRF: &str = "x-csrf-token";

/// A door whose auth knows the credentials `good`, and answers to others as auth does.
async fn door(flags: &[&str]) -> Door {
    async fn login(State(token): State<Arc<Mutex<String>>>, headers: HeaderMap) -> Response {
        let given = |name: &str| {
            headers
                .get(name)
                .map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(given("accept").as_deref(), Some("application/json"));
        let token = token.lock().unwrap().clone();
        match given("authorization").as_deref() {
            Some("Basic good") => {
                axum::Json(json!({"token": token, "token_type": "Bearer"})).into_response()
            }
            Some("Basic often") => {
                (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "900")]).into_response()
            }
            _ => (
                StatusCode::UNAUTHORIZED,
                [("www-authenticate", "Basic realm=\"decant\"")],
            )
                .into_response(),
        }
    }
    let token = Arc::new(Mutex::new(String::new()));
    let auth = serve(
        Router::new()
            .route("/login", post(login))
            .with_state(Arc::clone(&token)),
    )
    .await;
    let door = Door::to("http://127.0.0.1:9/", &auth, Arc::default(), flags).await;
    *token.lock().unwrap() = door.keys.token(header(), &claims("kevin@email.com"));
    door
}

async fn sign_in(door: &Door) -> TestReply {
    let credentials = Request::post("/session").header("authorization", "Basic good");
    door.send(credentials, ()).await
}

fn now() -> i64 {
    chrono::Utc::now().timestamp()
}

/// The cookie of a session that was last renewed so many seconds ago, as the door makes it.
fn cookie(door: &Door, seconds_ago: i64) -> String {
    let token = door.keys.token(header(), &claims("kevin@email.com"));
    cookie_with(&token, now() - seconds_ago)
}

fn cookie_with(token: &str, renewed: i64) -> String {
    let secret: LinkSecret = LINK_SECRET.parse().unwrap();
    let seal = secret.sign(&format!("decant session {renewed} {token}"));
    format!("decant_session={renewed}.{seal}.{token}")
}

fn with_cookie(method: &str, path: &str, cookie: &str) -> Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header("cookie", cookie)
}

/// What a browser sends back of a Set-Cookie.
fn kept(reply: &TestReply) -> &str {
    reply.header("set-cookie").split(';').next().unwrap()
}

#[tokio::test]
async fn a_browser_signs_in_and_its_cookie_opens_the_door() {
    let door = door(&[]).await;
    let signed_in = sign_in(&door).await;
    assert_eq!(signed_in.status, 200);
    let session = signed_in.json();
    assert_eq!(
        (&session["username"], &session["admin"]),
        (&json!("kevin@email.com"), &json!(false))
    );
    assert_eq!(signed_in.header("cache-control"), "no-store");
    let cookie = signed_in.header("set-cookie");
    assert!(
        cookie.ends_with("; HttpOnly; SameSite=Strict; Path=/; Max-Age=900"),
        "{cookie}"
    );

    let theirs = format!("theme=dark; {}", kept(&signed_in));
    assert_eq!(
        door.send(with_cookie("GET", "/jobs", &theirs), ())
            .await
            .status,
        200
    );
    let shown = door.send(with_cookie("GET", "/session", &theirs), ()).await;
    assert_eq!((shown.status.as_u16(), shown.json()), (200, session));
    let nobody = door.send(Request::get("/session"), ()).await;
    assert_eq!(
        (nobody.status.as_u16(), nobody.problem_code().as_str()),
        (401, "missing-token")
    );
}

#[tokio::test]
async fn a_failed_sign_in_makes_no_browser_show_a_dialog() {
    let door = door(&[]).await;
    for (credentials, status, retry_after) in [("Basic bad", 401, ""), ("Basic often", 429, "900")]
    {
        let attempt = Request::post("/session").header("authorization", credentials);
        let reply = door.send(attempt, ()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("retry-after")),
            (status, retry_after)
        );
        assert_eq!(
            (reply.header("www-authenticate"), reply.header("set-cookie")),
            ("", "")
        );
    }
}

#[tokio::test]
async fn a_change_by_cookie_needs_the_sessions_csrf_token() {
    let door = door(&[]).await;
    let signed_in = sign_in(&door).await;
    let csrf_token = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    let upload = || with_cookie("POST", "/upload?filename=a.mp4", kept(&signed_in));
    let others = LINK_SECRET
        .parse::<LinkSecret>()
        .unwrap()
        .sign("decant csrf another");
    for forged in [None, Some("rubbish"), Some(""), Some(others.as_str())] {
        let request = forged
            .into_iter()
            .fold(upload(), |request, given| request.header(CSRF, given));
        let reply = door.send(request, "video").await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (403, "csrf")
        );
    }
    let ours = door.send(upload().header(CSRF, &csrf_token), "video").await;
    assert_eq!(ours.status, 202);
    // A program's token needs none, whatever cookie comes along.
    let program = upload().header("authorization", door.keys.bearer("kevin@email.com"));
    assert_eq!(door.send(program, "video").await.status, 202);
}

#[tokio::test]
async fn a_session_goes_on_while_it_is_used_and_ends_when_it_is_not() {
    let door = door(&[]).await;
    let fresh = door
        .send(with_cookie("GET", "/jobs", &cookie(&door, 30)), ())
        .await;
    assert_eq!(
        (fresh.status.as_u16(), fresh.header("set-cookie")),
        (200, "")
    );

    let used = cookie(&door, 14 * 60);
    let renewed = door.send(with_cookie("GET", "/jobs", &used), ()).await;
    assert_eq!(renewed.status, 200);
    assert!(kept(&renewed) > used.as_str(), "its time is a later one");
    assert_eq!(
        door.send(with_cookie("GET", "/jobs", kept(&renewed)), ())
            .await
            .status,
        200
    );

    let idle = door
        .send(with_cookie("GET", "/jobs", &cookie(&door, 15 * 60)), ())
        .await;
    assert_eq!(
        (idle.status.as_u16(), idle.problem_code().as_str()),
        (401, "expired-token")
    );
    assert_eq!(idle.header("set-cookie"), "");
}

#[tokio::test]
async fn a_session_never_outlives_its_token() {
    let door = door(&[]).await;
    let token = |lives_s: i64| {
        let mut claims = claims("kevin@email.com");
        claims["exp"] = json!(now() + lives_s);
        door.keys.token(header(), &claims)
    };
    let short = cookie_with(&token(300), now() - 61);
    let renewed = door.send(with_cookie("GET", "/jobs", &short), ()).await;
    let (_, seconds) = renewed
        .header("set-cookie")
        .rsplit_once("Max-Age=")
        .unwrap();
    assert!(
        (1..=300).contains(&seconds.parse::<u32>().unwrap()),
        "{seconds}"
    );
    let over = door
        .send(
            with_cookie("GET", "/jobs", &cookie_with(&token(-1), now())),
            (),
        )
        .await;
    assert_eq!(
        (over.status.as_u16(), over.problem_code().as_str()),
        (401, "expired-token")
    );
}

#[tokio::test]
async fn a_cookie_that_we_did_not_seal_is_refused() {
    let door = door(&[]).await;
    let good = cookie(&door, 10);
    let token = door.keys.token(header(), &claims("kevin@email.com"));
    let [renewed, seal, _] = good.splitn(3, '.').collect::<Vec<_>>()[..] else {
        panic!("three parts")
    };
    let longer = format!("decant_session={}.{seal}.{token}", now() + 600);
    let others = door.keys.token(header(), &claims("eve@email.com"));
    for forged in [
        longer,
        format!("{renewed}.{seal}.{others}"),
        format!("{renewed}..{token}"),
        format!("decant_session={token}"),
        "decant_session=".to_owned(),
    ] {
        let reply = door.send(with_cookie("GET", "/jobs", &forged), ()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (401, "invalid-token"),
            "{forged}"
        );
    }
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away() {
    let door = door(&[]).await;
    let signed_in = sign_in(&door).await;
    let cookie = kept(&signed_in);
    let forged = door
        .send(with_cookie("DELETE", "/session", cookie), ())
        .await;
    assert_eq!(
        (forged.status.as_u16(), forged.header("set-cookie")),
        (403, "")
    );
    let csrf_token = signed_in.json()["csrf_token"].as_str().unwrap().to_owned();
    for request in [
        with_cookie("DELETE", "/session", cookie).header(CSRF, csrf_token),
        with_cookie("DELETE", "/session", &self::cookie(&door, 3600)),
        Request::delete("/session"),
    ] {
        let reply = door.send(request, ()).await;
        assert_eq!(reply.status, 204);
        assert_eq!(
            reply.header("set-cookie"),
            "decant_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"
        );
    }
}

#[tokio::test]
async fn the_cookie_is_for_https_alone_where_a_trusted_proxy_has_it() {
    let by_https = || {
        Request::post("/session")
            .header("authorization", "Basic good")
            .header("x-forwarded-proto", "https")
    };
    let wary = door(&[]).await.send(by_https(), ()).await;
    assert!(!wary.header("set-cookie").contains("Secure"));
    let behind_proxy = door(&["--trusted-proxies", "127.0.0.1"]).await;
    let reply = behind_proxy.send(by_https(), ()).await;
    assert!(reply.header("set-cookie").ends_with("; Secure"));
}
