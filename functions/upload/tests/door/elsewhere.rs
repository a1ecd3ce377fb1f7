//! Below a path, and called by other sites' pages.

use super::*;

const APP: &str = "https://app.example.com";

async fn below() -> Door {
    Door::with(&["--base-path", "/decant"]).await
}

#[tokio::test]
async fn everything_is_below_the_base_path_and_nothing_beside_it() {
    let door = below().await;
    for path in [
        "/decant/",
        "/decant/jobs",
        "/decant/health/liveness",
        "/health/liveness",
        "/metrics",
    ] {
        assert_eq!(door.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/",
        "/jobs",
        "/decantjobs",
        "/decant//jobs",
        "/elsewhere/decant/jobs",
        "/assets/",
    ] {
        assert_eq!(door.get(path).await.problem_code(), "not-found", "{path}");
    }
}

#[tokio::test]
async fn what_the_door_says_of_its_own_paths_has_the_base_path() {
    let door = below().await;
    let upload = || {
        door.send(
            door.request("POST", "/decant/upload?filename=a.mp4"),
            "video",
        )
    };
    let job = upload().await;
    let id = job.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(job.header("location"), format!("/decant/jobs/{id}"));
    assert_eq!(door.get(job.header("location")).await.status, 200);
    upload().await;
    let page = door.get("/decant/jobs?limit=1").await;
    assert!(
        page.header("link").starts_with("</decant/jobs?cursor="),
        "{}",
        page.header("link")
    );
}

#[tokio::test]
async fn the_dashboard_below_a_path_is_found_without_its_slash_too() {
    let door = below().await;
    let reply = door
        .send(Request::get("/decant").header("accept", "text/html"), ())
        .await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("location")),
        (308, "/decant/")
    );
}

#[tokio::test]
async fn a_session_below_a_path_is_for_that_path() {
    let door = below().await;
    let out = door.send(Request::delete("/decant/session"), ()).await;
    assert!(out.header("set-cookie").contains("; Path=/decant;"));
}

#[tokio::test]
async fn a_listed_sites_page_may_call_with_a_token_and_never_with_a_session() {
    let door = Door::with(&["--cors-origins", APP]).await;
    let preflight = Request::options("/upload")
        .header("origin", APP)
        .header("access-control-request-method", "POST")
        .header(
            "access-control-request-headers",
            "authorization, x-csrf-token",
        );
    let allowed = door.send(preflight, ()).await;
    assert_eq!(
        (
            allowed.status.as_u16(),
            allowed.header("access-control-allow-origin")
        ),
        (200, APP)
    );
    assert!(
        allowed
            .header("access-control-allow-methods")
            .contains("POST")
    );
    let headers = allowed.header("access-control-allow-headers");
    assert!(
        headers.contains("authorization") && !headers.contains("csrf"),
        "{headers}"
    );
    assert_eq!(allowed.header("access-control-allow-credentials"), "");

    let jobs = door
        .send(door.request("GET", "/jobs").header("origin", APP), ())
        .await;
    assert_eq!(
        (
            jobs.status.as_u16(),
            jobs.header("access-control-allow-origin")
        ),
        (200, APP)
    );
    assert!(
        jobs.header("access-control-expose-headers")
            .contains("retry-after")
    );
    // Its page gets to read why something is refused, too.
    let refused = door
        .send(Request::get("/jobs").header("origin", APP), ())
        .await;
    assert_eq!(
        (
            refused.status.as_u16(),
            refused.header("access-control-allow-origin")
        ),
        (401, APP)
    );
}

#[tokio::test]
async fn another_sites_page_gets_no_leave() {
    for flags in [&[][..], &["--cors-origins", APP]] {
        let door = Door::with(flags).await;
        let ask = door
            .request("GET", "/jobs")
            .header("origin", "https://evil.example.com");
        assert_eq!(
            door.send(ask, ())
                .await
                .header("access-control-allow-origin"),
            ""
        );
    }
}

#[tokio::test]
async fn an_options_request_that_no_browser_asks_is_answered_by_its_path() {
    let door = Door::with(&["--cors-origins", APP]).await;
    let reply = door
        .send(Request::options("/jobs").header("origin", APP), ())
        .await;
    assert_eq!(reply.problem_code(), "method-not-allowed");
}
