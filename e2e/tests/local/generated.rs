//! Requests that nobody would think of, made of what the door says of itself.

use crate::{SOON, clips};
use decant_e2e::{Job, System};
use std::{env, fs, path::PathBuf, time::Duration};
use tokio::{process::Command, time::timeout};

/// As scripts/setup installs it.
const VERSION: &str = "4.32.5";

/// Of each call, besides those that the description's bounds suggest.
const EXAMPLES: &str = "30";

/// Enough for a few thousand requests on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(240);

/// No 5xx, and no status, content type, header or shape that isn't described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
    response_headers_conformance,response_schema_conformance,unsupported_method";

/// It can't make bodies of the type that resumable uploads have; real clients send those.
const NO_BYTES: &str = r#"
[[operations]]
include-name = ["POST /files", "PATCH /files/{id}"]
enabled = false
"#;

#[tokio::test]
async fn whatever_is_asked_the_answer_is_as_described() {
    let system = System::started().await;
    let client = system.client().await;
    let job = client.upload("Film.mp4", clips::short()).await;
    let job = client.wait_for(&job.id, "ready", SOON).await;

    let generate = async |config: &str, calls: &str| {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("schemathesis.toml"), config).expect("written");
        let schemathesis = Command::new(schemathesis())
            .current_dir(folder.path())
            .arg("run")
            .arg(format!("http://localhost:{}/openapi.json", system.port))
            .args([
                "--header",
                &format!("Authorization: Bearer {}", client.token),
            ])
            .args(["--checks", CHECKS, "--max-examples", EXAMPLES])
            .args(["--phases", "examples,coverage,fuzzing"])
            .args(["--include-path-regex", calls])
            .args(["--generation-deterministic", "--request-timeout", "30"])
            .arg("--no-color")
            .kill_on_drop(true)
            .output();
        let ended = timeout(LIMIT, schemathesis).await;
        let ended = ended.expect("it took too long");
        let ended =
            ended.unwrap_or_else(|error| panic!("schemathesis: {error}; ./test installs it"));
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(ended.status.success(), "{said}");
    };
    generate(NO_BYTES, ".").await;
    // Ids of its own making lead nowhere.
    generate(&of(&job), "^/(jobs/|download)").await;
}

/// Settings that ask for this job and its MP3 wherever an id is asked for.
fn of(job: &Job) -> String {
    let calls = [
        (
            "include-path",
            "/download",
            "query.id",
            format!("{:?}", job.mp3()),
        ),
        (
            "include-path",
            "/jobs/zip",
            "query.id",
            format!("[{:?}]", job.id),
        ),
        (
            "include-path-regex",
            "^/jobs/[{]",
            "path.id",
            format!("{:?}", job.id),
        ),
    ];
    let calls = calls.map(|(which, path, name, value)| {
        format!("[[operations]]\n{which} = {path:?}\nparameters = {{ {name:?} = {value} }}\n")
    });
    calls.concat()
}

fn schemathesis() -> PathBuf {
    let home = || PathBuf::from(env::var_os("HOME").expect("a home")).join(".cache");
    let cache = env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    cache.join(format!("decant/schemathesis-{VERSION}/bin/schemathesis"))
}
