use super::*;
use crate::Config;
use clap::Parser;
use decant_store::Store;
use futures::stream;
use std::convert::Infallible;
use tokio::time::Instant;

const START: &str = "--b\r\n";
const HEAD: &str = "content-disposition: form-data; name=\"comment\"\r\n\r\nOnce ";
const REST: &str = "upon a time\r\n--b--\r\n";

#[tokio::test]
async fn an_upload_keeps_its_lease_while_the_rest_of_its_form_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let app = app(&folder.path().join("store").display().to_string()).await;
    let person = Person {
        username: "kevin@email.com".parse().expect("a mail address"),
        admin: false,
        until: u64::MAX,
    };
    let (begun, rest) = ([START, HEAD].concat(), [HEAD, REST].concat());
    for (at_once, later) in [(START, rest.as_str()), (&begun, REST)] {
        let video = Incoming::begin(&app, person.username.clone(), "a.mp4".into()).await;
        let mut video = video.expect("begins");
        let long_ago = Instant::now() - Duration::from_secs(60);
        (video.renewed, video.tried) = (long_ago, long_ago);
        let mut video = Some(video);
        let pieces = [at_once.to_owned(), later.to_owned()]
            .into_iter()
            .enumerate();
        let body = stream::iter(pieces).then(|(at, piece)| async move {
            // The parser may look twice before it waits.
            for _ in 0..10 * at {
                tokio::task::yield_now().await;
            }
            Ok::<_, Infallible>(piece)
        });
        let backlog = Backlog::new(Body::from_stream(body));
        let request = Request::post("/upload")
            .header("content-type", "multipart/form-data; boundary=b")
            .body(Body::from_stream(backlog.clone()))
            .expect("a request");
        let parts = Multipart::from_request(request, &()).await;
        let mut parts = parts.expect("a form");
        let mut form = Form::default();
        let read = read_parts(&app, &person, &mut parts, &backlog, &mut form, &mut video).await;
        read.expect("is read");
        assert_eq!(form.options.comment.as_deref(), Some("Once upon a time"));
        let video = video.expect("it is there");
        assert!(video.renewed > long_ago, "what comes later: {later:?}");
        video.discard(&app).await;
    }
}

async fn app(store: &str) -> App {
    let config = Config::parse_from([
        "decant-upload",
        "--store",
        store,
        "--sink",
        "http://127.0.0.1:9/",
        "--auth-url",
        "http://127.0.0.1:9/",
        "--public-keys",
        "none.json",
        "--link-secret",
        "0123456789abcdef0123456789abcdef",
    ]);
    let opened = Store::open(config.store.url()).await;
    App::new(opened.expect("opens"), &config).expect("an app")
}
