use crate::{Config, PublicUrl, advice::Advice, mailer::SendError, words};
use askama::Template;
use chrono::{DateTime, Utc};
use decant_events::{DownloadLink, LinkSecret};
use decant_store::{Job, Retention, State};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use std::time::Duration;

/// The longest title that a subject carries, in characters.
const LONGEST_TITLE: usize = 120;

/// What every letter is written with.
pub(crate) struct Stationery {
    sender: Mailbox,
    public_url: PublicUrl,
    link_secret: LinkSecret,
    link_ttl: Duration,
    retention: Retention,
}

/// A mail that is ready to go, about one run of one job.
pub(crate) struct Letter {
    /// The same for the same run: `JOB.RUN`.
    pub(crate) name: String,
    pub(crate) message: Message,
}

struct Ready<'a> {
    title: &'a str,
    link: String,
    length: String,
    size: String,
    until: String,
    door: &'a str,
}

impl Ready<'_> {
    fn facts(&self) -> [(&'static str, &str); 3] {
        [
            ("Length", &self.length),
            ("Size", &self.size),
            ("Link until", &self.until),
        ]
    }
}

struct Failed<'a> {
    title: &'a str,
    why: &'a str,
    advice: Advice,
    code: &'a str,
    job: String,
    door: &'a str,
}

#[derive(Template)]
#[template(path = "ready.html")]
struct ReadyHtml<'a>(&'a Ready<'a>);

#[derive(Template)]
#[template(path = "ready.txt")]
struct ReadyText<'a>(&'a Ready<'a>);

#[derive(Template)]
#[template(path = "failed.html")]
struct FailedHtml<'a>(&'a Failed<'a>);

#[derive(Template)]
#[template(path = "failed.txt")]
struct FailedText<'a>(&'a Failed<'a>);

impl Stationery {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            sender: config.sender(),
            public_url: config.public_url.clone(),
            link_secret: config.link_secret.clone(),
            link_ttl: config.link_ttl,
            retention: config.retention(),
        }
    }

    /// Writes the letter about a job that has ended. All that it says is from the record.
    pub(crate) fn letter(&self, job: &Job, now: DateTime<Utc>) -> Result<Letter, SendError> {
        let title = words::one_line(job.title(), LONGEST_TITLE);
        let (subject, parts) = match job.state {
            State::Ready => (
                format!("Your MP3 is ready: {title}"),
                self.ready(job, &title, now)?,
            ),
            _ => (
                format!("No MP3 could be made: {title}"),
                self.failed(job, &title, now)?,
            ),
        };
        let owner: Address = job.owner.as_str().parse().map_err(unwritable)?;
        let name = format!("{}.{}", job.id, job.run);
        let message = Message::builder()
            .message_id(Some(format!("<{name}@{}>", self.sender.email.domain())))
            .from(self.sender.clone())
            .to(Mailbox::new(None, owner))
            .subject(subject)
            .raw_header(generated_by_a_program())
            .multipart(parts)
            .map_err(unwritable)?;
        Ok(Letter { name, message })
    }

    fn ready(&self, job: &Job, title: &str, now: DateTime<Utc>) -> Result<MultiPart, SendError> {
        let mp3 = job.mp3.as_ref();
        let mp3 = mp3.ok_or_else(|| SendError::Unwritable("the record names no MP3".into()))?;
        // A link is good for as long as there is an MP3.
        let kept_until = self.retention.mp3_expires_at(job);
        let signed_until = now + self.link_ttl;
        let expires = kept_until.map_or(signed_until, |end| end.min(signed_until));
        let expires_s = u64::try_from(expires.timestamp()).unwrap_or_default();
        let link = DownloadLink::sign(&self.link_secret, mp3.id, expires_s);
        let ready = Ready {
            title,
            link: self.public_url.download(&link),
            length: words::length(mp3.duration_ms),
            size: words::size(mp3.size_bytes),
            until: words::moment(expires),
            door: self.public_url.as_str(),
        };
        both(&ReadyText(&ready), &ReadyHtml(&ready))
    }

    fn failed(&self, job: &Job, title: &str, now: DateTime<Utc>) -> Result<MultiPart, SendError> {
        let problem = job.problem.as_ref();
        let code = problem.map_or("unknown", |problem| &problem.code);
        let advice = Advice::on(code, self.retention.can_retry(job, now));
        let failed = Failed {
            title,
            why: problem.map_or("Something went wrong.", |problem| &problem.detail),
            advice,
            code,
            job: job.id.to_string(),
            door: self.public_url.as_str(),
        };
        both(&FailedText(&failed), &FailedHtml(&failed))
    }
}

fn both(text: &impl Template, html: &impl Template) -> Result<MultiPart, SendError> {
    Ok(MultiPart::alternative_plain_html(
        text.render().map_err(unwritable)?,
        html.render().map_err(unwritable)?,
    ))
}

/// `Auto-Submitted` keeps absence notes from answering (RFC 3834).
fn generated_by_a_program() -> HeaderValue {
    HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".into(),
    )
}

fn unwritable(error: impl std::fmt::Display) -> SendError {
    SendError::Unwritable(error.to_string())
}
