use super::*;

fn page(accept_encoding: &str) -> Builder {
    Request::get("/")
        .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .header("accept-encoding", accept_encoding)
}

/// The assets that the page names, as a browser finds them.
fn assets(page: &TestReply) -> Vec<String> {
    let html = String::from_utf8(page.body.clone()).unwrap();
    let names = html
        .split('"')
        .filter_map(|text| text.strip_prefix("./assets/"));
    names.map(|name| format!("/assets/{name}")).collect()
}

#[tokio::test]
async fn a_browser_gets_the_dashboard_and_others_the_calls() {
    let door = Door::new().await;
    let html = door.send(page(""), ()).await;
    assert_eq!(
        (html.status.as_u16(), html.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(html.body.starts_with(b"<!doctype html>") || html.body.starts_with(b"<!DOCTYPE html>"));
    for accept in ["*/*", "application/json", "text/plain, text/html;q=0"] {
        let text = door
            .send(Request::get("/").header("accept", accept), ())
            .await;
        assert_eq!(
            (text.status.as_u16(), text.header("content-type")),
            (200, "text/plain; charset=utf-8")
        );
        assert_eq!(text.header("vary"), "accept");
    }
}

#[tokio::test]
async fn nothing_inline_runs_in_the_page_and_nobody_frames_it() {
    let door = Door::new().await;
    let html = door.send(page(""), ()).await;
    let policy = html.header("content-security-policy");
    assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert!(!policy.contains("unsafe"));
    assert_eq!(html.header("x-content-type-options"), "nosniff");
    assert_eq!(html.header("referrer-policy"), "no-referrer");
    let text = String::from_utf8(html.body).unwrap();
    assert!(!text.contains("<style") && !text.contains("<script>") && !text.contains(" style="));
}

#[tokio::test]
async fn the_page_is_asked_for_anew_and_its_assets_never() {
    let door = Door::new().await;
    let html = door.send(page(""), ()).await;
    assert_eq!(html.header("cache-control"), "no-cache");
    let again = page("").header("if-none-match", html.header("etag"));
    let again = door.send(again, ()).await;
    assert_eq!((again.status.as_u16(), again.body.len()), (304, 0));
    assert_eq!(again.header("etag"), html.header("etag"));

    let assets = assets(&html);
    assert!(!assets.is_empty(), "the page names its script relatively");
    for asset in assets {
        let reply = door.send(Request::get(&asset), ()).await;
        assert_eq!(reply.status, 200, "{asset}");
        assert_eq!(
            reply.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn what_a_browser_unpacks_is_sent_packed() {
    let door = Door::new().await;
    let html = door.send(page(""), ()).await;
    let script = assets(&html)
        .into_iter()
        .find(|name| name.ends_with(".js"))
        .unwrap();
    let ask = |coding: &'static str| Request::get(&script).header("accept-encoding", coding);
    let plain = door.send(ask("br;q=0, identity"), ()).await;
    assert_eq!(plain.header("content-encoding"), "");
    for (accepted, coding) in [("gzip", "gzip"), ("gzip, deflate, br", "br")] {
        let packed = door.send(ask(accepted), ()).await;
        assert_eq!(
            (packed.header("content-encoding"), packed.header("vary")),
            (coding, "accept-encoding")
        );
        assert!(packed.body.len() < plain.body.len());
        assert_ne!(packed.header("etag"), plain.header("etag"));
    }
}

#[tokio::test]
async fn a_path_that_leads_nowhere_is_no_page() {
    let door = Door::new().await;
    for path in [
        "/index.html",
        "/assets/none.js",
        "/assets/",
        "/assets/..%2findex.html",
        "/assets/%ff",
    ] {
        let lost = Request::get(path).header("accept", "text/html");
        let reply = door.send(lost, ()).await;
        assert_eq!(
            (reply.status.as_u16(), reply.problem_code().as_str()),
            (404, "not-found"),
            "{path}"
        );
    }
}
