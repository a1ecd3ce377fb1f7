use super::{
    uploads::{BOUNDARY, part},
    *,
};
use decant_events::VideoUploaded;
use serde_json::{Value, json};

const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 0, 0x10];
const LARGEST_COVER_BYTES: usize = 192 * 1024;

fn field(name: &str, text: impl AsRef<[u8]>) -> Vec<u8> {
    let head = format!("--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n");
    [head.as_bytes(), text.as_ref(), b"\r\n"].concat()
}

fn video() -> Vec<u8> {
    part("file", "a.mp4", "video").into_bytes()
}

impl Door {
    /// That the upload is refused because of `says`, and leaves nothing.
    async fn assert_invalid(&self, reply: TestReply, says: &str) {
        assert_eq!(reply.status, 422, "{says}");
        assert_eq!(reply.problem_code(), "invalid-option");
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(says), "{detail}");
        self.assert_empty().await;
    }

    async fn cover(&self, job: &Value) -> Option<Vec<u8>> {
        let id = job["id"].as_str().unwrap().parse().unwrap();
        self.store.jobs.cover(id).await.unwrap()
    }
}

#[tokio::test]
async fn what_a_form_asks_for_is_in_the_job_whether_it_comes_before_or_after_the_video() {
    let door = Door::new().await;
    let asked = [field("quality", "V0"), field("start", "1:02.5")];
    let asked = [asked, [field("title", "Größe 🎬"), field("loudness", "on")]].concat();
    let expected = json!({"quality": "v0", "start": 62.5, "loudness": -16.0, "title": "Größe 🎬"});
    let before = [&asked[..], &[video()]].concat();
    let after = [&[video()], &asked[..]].concat();
    let around = [&asked[..1], &[video()], &asked[1..]].concat();
    for parts in [before, after, around] {
        let reply = door.multipart(&parts).await;
        assert_eq!(reply.status, 202);
        let job = reply.json();
        assert_eq!(job["options"], expected);
        let job = door.get(reply.header("location")).await.json();
        assert_eq!((&job["options"], &job["title"]), (&expected, &json!("a")));
    }
    assert_eq!(
        door.get("/jobs").await.json()["jobs"][0]["options"],
        expected
    );
    for (_, body) in door.events.lock().unwrap().iter() {
        let event: VideoUploaded = serde_json::from_slice(body).unwrap();
        assert_eq!(serde_json::to_value(&event.options).unwrap(), expected);
    }
}

#[tokio::test]
async fn a_query_asks_beside_a_raw_body_and_beside_a_form() {
    let door = Door::new().await;
    let query = "/upload?filename=b.mp4&quality=128k&mono=true&artist=Zo%C3%AB+%26+Co";
    let raw = door.send(door.request("POST", query), "video").await;
    assert_eq!(raw.status, 202);
    assert_eq!(raw.json()["file_name"], "b.mp4");
    let expected = json!({"quality": "128k", "mono": true, "artist": "Zoë & Co"});
    assert_eq!(raw.json()["options"], expected);

    let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let form = |query: &str| {
        let request = door.request("POST", &format!("/upload?{query}"));
        request.header("content-type", &content_type)
    };
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let body = [video(), field("fade", "2"), end].concat();
    let both = door.send(form("mono=on"), body.clone()).await;
    assert_eq!(both.json()["options"], json!({"mono": true, "fade": 2}));
    let twice = door.send(form("fade=1"), body).await;
    assert_eq!(twice.status, 422);
    assert_eq!(
        twice.json()["detail"],
        "The option `fade` is given twice. Expected it once."
    );
}

#[tokio::test]
async fn where_nothing_is_asked_for_options_are_empty() {
    let door = Door::new().await;
    let empty = [
        field("quality", ""),
        field("title", " "),
        field("cover", ""),
    ];
    let form = door.multipart(&[&empty[..], &[video()]].concat()).await;
    assert_eq!(form.json()["options"], json!({}));
    assert_eq!(door.cover(&form.json()).await, None);
    let raw = door.upload("a.mp4", b"video").await.json();
    assert_eq!(raw["options"], json!({}));
    let events = door.events.lock().unwrap();
    assert!(!String::from_utf8_lossy(&events[0].1).contains("options"));
}

#[tokio::test]
async fn a_wrong_option_is_named_and_leaves_nothing() {
    let door = Door::new().await;
    let expected_quality = "The option `quality` is `v9`. Expected one of v0, v2,";
    for (option, says) in [
        (vec![field("quality", "v9")], expected_quality),
        (
            vec![field("qualty", "v2")],
            "There is no option `qualty`. There are quality, mono,",
        ),
        (
            vec![field("video", "v".repeat(100_000))],
            "the video is sent as `file`",
        ),
        (
            vec![field("fade", "1"), field("fade", "1")],
            "`fade` is given twice",
        ),
        (
            vec![field("title", "x".repeat(501))],
            "501 characters long. Expected at most 500.",
        ),
        (
            vec![field("comment", "x".repeat(17_000))],
            "`comment` is more than 16 KiB",
        ),
        (
            vec![field("artist", [0xc3, 0x28])],
            "Expected text in UTF-8",
        ),
        (
            vec![field("end", "5"), field("start", "5")],
            "later than `start`, 5 s",
        ),
    ] {
        let before = [&option[..], &[video()]].concat();
        door.assert_invalid(door.multipart(&before).await, says)
            .await;
        let after = [&[video()], &option[..]].concat();
        door.assert_invalid(door.multipart(&after).await, says)
            .await;
    }
    for (query, says) in [
        ("quality=v9", expected_quality),
        ("filname=a.mp4", "There is no option `filname`."),
        ("cover=x", "its cover as `cover`"),
        ("mono=on&mono=on", "`mono` is given twice"),
        ("filename=a.mp4&filename=b.mp4", "`filename` is given twice"),
        ("start=9&end=8", "`end` is 8 s"),
    ] {
        let request = door.request("POST", &format!("/upload?{query}"));
        door.assert_invalid(door.send(request, "video").await, says)
            .await;
    }
    assert!(door.events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_form_and_a_query_take_and_refuse_what_the_command_line_does() {
    let door = Door::new().await;
    let table = include_str!("../../../../crates/events/src/options/table.json");
    let table: Value = serde_json::from_str(table).unwrap();
    let rows = table.as_object().unwrap();
    let query = |name: &str, text: &str| {
        let text = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        format!("{name}={text}")
    };
    for (name, row) in rows {
        for text in row["refused"].as_array().unwrap() {
            let text = text.as_str().unwrap();
            let says = format!("The option `{name}` is ");
            let form = door.multipart(&[field(name, text), video()]).await;
            door.assert_invalid(form, &says).await;
            let request = door.request("POST", &format!("/upload?{}", query(name, text)));
            door.assert_invalid(door.send(request, "video").await, &says)
                .await;
        }
    }
    // The first text of each option at once, then the second of each, and so on. An end has a start to come after.
    let taken = |row: &Value| row["taken"].as_object().unwrap().clone();
    let most = rows.values().map(|row| taken(row).len()).max().unwrap();
    for at in 0..most {
        for left_out in ["start", "end"] {
            let (mut parts, mut queries, mut expected) = (vec![], vec![], json!({}));
            for (name, row) in rows.iter().filter(|(name, _)| *name != left_out) {
                let Some((text, value)) = taken(row).into_iter().nth(at) else {
                    continue;
                };
                parts.push(field(name, &text));
                queries.push(query(name, &text));
                if !value.is_null() {
                    expected[name] = value;
                }
            }
            parts.push(video());
            assert_eq!(door.multipart(&parts).await.json()["options"], expected);
            let request = door.request("POST", &format!("/upload?{}", queries.join("&")));
            let raw = door.send(request, "video").await;
            assert_eq!(raw.json()["options"], expected);
        }
    }
}

#[tokio::test]
async fn a_stranger_is_not_told_about_options() {
    let door = Door::new().await;
    let stranger = Request::post("/upload?quality=v9");
    assert_eq!(door.send(stranger, "video").await.status, 401);
}

#[tokio::test]
async fn a_cover_is_kept_with_the_job() {
    let door = Door::new().await;
    let jpeg = [JPEG, &vec![7; LARGEST_COVER_BYTES - JPEG.len()]].concat();
    let png = b"\x89PNG\r\n\x1a\n and so on".to_vec();
    for picture in [jpeg, png] {
        let reply = door.multipart(&[video(), field("cover", &picture)]).await;
        assert_eq!(reply.status, 202);
        let job = reply.json();
        assert_eq!(door.cover(&job).await, Some(picture));
        assert_eq!(job["options"], json!({}));
    }
}

#[tokio::test]
async fn what_is_no_cover_is_refused_and_leaves_nothing() {
    let door = Door::new().await;
    let large = [JPEG, &vec![7; LARGEST_COVER_BYTES]].concat();
    let text = b"GIF89a".to_vec();
    for (cover, says) in [
        (
            large,
            "The option `cover` is more than 192 KiB. Expected a JPEG or PNG of at most 192 KiB.",
        ),
        (
            text,
            "The option `cover` is another kind of file. Expected a JPEG or PNG",
        ),
    ] {
        for parts in [
            [field("cover", &cover), video()],
            [video(), field("cover", &cover)],
        ] {
            door.assert_invalid(door.multipart(&parts).await, says)
                .await;
        }
    }
    let two = [field("cover", JPEG), video(), field("cover", JPEG)];
    door.assert_invalid(door.multipart(&two).await, "`cover` is given twice")
        .await;
}
