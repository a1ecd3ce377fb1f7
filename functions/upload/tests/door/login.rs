use super::*;
use axum::response::IntoResponse;

/// Answers as auth does, and tells what it was asked.
pub(crate) async fn auth() -> String {
    async fn login(headers: HeaderMap) -> impl IntoResponse {
        let header = |name: &str| {
            headers
                .get(name)
                .map_or("-", |value| value.to_str().unwrap())
                .to_owned()
        };
        let told = format!(
            "{} {} {}",
            header("authorization"),
            header("x-forwarded-for"),
            header("cookie")
        );
        match header("authorization").as_str() {
            "Basic throttled" => (
                StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", "900"), ("x-inner", "1")],
                String::new(),
            ),
            _ => (
                StatusCode::OK,
                [("cache-control", "no-store"), ("x-inner", "1")],
                told,
            ),
        }
    }
    serve(Router::new().route("/login", post(login))).await
}

#[tokio::test]
async fn a_login_is_auths_to_answer() {
    let door = Door::new().await;
    let login = Request::post("/login")
        .header("authorization", "Basic abc")
        .header("cookie", "c=1");
    let reply = door.send(login, ()).await;
    assert_eq!(
        String::from_utf8(reply.body.clone()).unwrap(),
        "Basic abc 127.0.0.1 -"
    );
    assert_eq!(
        (reply.header("cache-control"), reply.header("x-inner")),
        ("no-store", "")
    );

    let throttled = Request::post("/login").header("authorization", "Basic throttled");
    let reply = door.send(throttled, ()).await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("retry-after")),
        (429, "900")
    );
}

#[tokio::test]
async fn auth_hears_of_a_forwarded_client_only_from_a_trusted_proxy() {
    let forwarded = || {
        Request::post("/login")
            .header("authorization", "Basic abc")
            .header("x-forwarded-for", "192.0.2.7")
    };
    let wary = Door::new().await.send(forwarded(), ()).await;
    assert!(wary.body.ends_with(b"127.0.0.1 -"));
    let behind_proxy = Door::with(&["--trusted-proxies", "127.0.0.1"]).await;
    assert!(
        behind_proxy
            .send(forwarded(), ())
            .await
            .body
            .ends_with(b"192.0.2.7 -")
    );
}

#[tokio::test]
async fn without_auth_a_login_is_told_to_come_back() {
    let door = Door::to(
        "http://127.0.0.1:9/",
        "http://127.0.0.1:9/",
        Arc::default(),
        &[],
    )
    .await;
    let reply = door
        .send(
            Request::post("/login").header("authorization", "Basic abc"),
            (),
        )
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.problem_code().as_str()),
        (503, "auth-unavailable")
    );
    assert_eq!(reply.header("retry-after"), "5");
}
