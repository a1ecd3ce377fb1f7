use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A job as the server shows it, with whatever a newer server may add.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Job(Map<String, Value>);

impl Job {
    pub(super) fn id(&self) -> &str {
        self.text("id")
    }

    pub(super) fn state(&self) -> &str {
        self.text("state")
    }

    pub(super) fn title(&self) -> &str {
        self.text("title")
    }

    pub(super) fn mp3_fid(&self) -> Option<&str> {
        self.0.get("mp3_fid")?.as_str()
    }

    pub(super) fn text(&self, field: &str) -> &str {
        self.0
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    pub(super) fn number(&self, field: &str) -> Option<f64> {
        self.0.get(field)?.as_f64()
    }

    pub(super) fn whole(&self, field: &str) -> Option<u64> {
        self.0.get(field)?.as_u64()
    }

    /// Why it failed, in words for people.
    pub(super) fn problem(&self) -> Option<&str> {
        self.0.get("problem")?.get("detail")?.as_str()
    }

    pub(super) fn problem_code(&self) -> Option<&str> {
        self.0.get("problem")?.get("code")?.as_str()
    }

    /// Nothing more happens to it by itself.
    pub(super) fn has_ended(&self) -> bool {
        !matches!(self.state(), "waiting" | "queued" | "converting")
    }

    /// Where it stands, in a few words: `converting 71 %, 84 × real time`.
    pub(super) fn standing(&self) -> String {
        match self.state() {
            "converting" => {
                let mut words = format!(
                    "converting {:.0} %",
                    self.number("progress_percent").unwrap_or_default()
                );
                if let Some(speed) = self.number("speed") {
                    words += &format!(", {speed:.0} × real time");
                }
                words
            }
            state @ ("waiting" | "queued") => match self.whole("jobs_ahead") {
                Some(0) => format!("{state}, next"),
                Some(jobs) => format!("{state}, {jobs} before it"),
                None => state.to_owned(),
            },
            state => state.to_owned(),
        }
    }
}
