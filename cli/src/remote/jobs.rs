use super::{
    Look, Table, Where, bytes,
    follow::follow,
    job::Job,
    server::{Server, json},
    since,
    upload::outcome,
};
use crate::{clock::Clock, failure::Failure};
use chrono::{DateTime, Utc};
use indicatif::ProgressBar;
use reqwest_tls::Method;
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(crate) struct List {
    /// Those in these states alone: waiting, queued, converting, ready, failed, expired
    #[arg(long, value_delimiter = ',')]
    state: Vec<String>,
    /// Those with this in their title or file name
    #[arg(short, long, value_name = "WORD")]
    query: Option<String>,
    /// At most so many
    #[arg(long, default_value = "50", value_name = "NUMBER")]
    limit: usize,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// The job's id
    id: String,
    /// Wait for its end. The exit status is 3 if it fails
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    at: Where,
}

#[derive(Serialize, Deserialize)]
struct Page {
    jobs: Vec<Job>,
    next: Option<String>,
}

/// The largest page that the server gives.
const PAGE: usize = 200;

pub(super) async fn list(arguments: List) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    let mut jobs: Vec<Job> = Vec::new();
    let mut cursor = None;
    while jobs.len() < arguments.limit {
        // A page of some states or words may be short: asking for the rest alone could take many of them.
        let wanted = arguments.limit.min(PAGE);
        let page = page(&server, &arguments, wanted, cursor.as_deref()).await?;
        jobs.extend(page.jobs);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    jobs.truncate(arguments.limit);
    let names = jobs.iter().map(|job| job.id().to_owned());
    arguments.look.print(&jobs, names, || {
        vec![table(&jobs, "No jobs. decant upload FILE makes one.")]
    })
}

async fn page(
    server: &Server,
    arguments: &List,
    limit: usize,
    cursor: Option<&str>,
) -> Result<Page, Failure> {
    let mut url = server.url("jobs")?;
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", &limit.to_string());
        if !arguments.state.is_empty() {
            query.append_pair("state", &arguments.state.join(","));
        }
        if let Some(word) = &arguments.query {
            query.append_pair("q", word);
        }
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
    }
    let request = server.request(Method::GET, url.as_str())?;
    json(server.call(request).await?).await
}

pub(super) async fn show(arguments: Show) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    let job = if arguments.follow {
        let line = ProgressBar::new_spinner();
        line.enable_steady_tick(Duration::from_millis(200));
        let followed = follow(&server, &arguments.id, |job| {
            line.set_message(format!("{}: {}", job.title(), job.standing()));
        });
        let job = followed.await;
        line.finish_and_clear();
        job?
    } else {
        server.job(&arguments.id).await?
    };
    let shown = [job.clone()];
    let name = Some(job.id().to_owned());
    arguments
        .look
        .print(&job, name, || vec![table(&shown, "")])?;
    if arguments.follow {
        return outcome(&job);
    }
    if let Some(problem) = job.problem() {
        eprintln!("{problem}");
    }
    Ok(())
}

/// Jobs as people look at them.
pub(super) fn table(jobs: &[Job], empty: &'static str) -> Table {
    let headers = &["ID", "TITLE", "STATE", "LENGTH", "SIZE", "AGE"];
    let now = Utc::now();
    let mut table = Table::new(headers, empty);
    for job in jobs {
        let length = job.whole("duration_ms").map(|ms| {
            let whole_seconds = Duration::from_secs(ms / 1000);
            Clock(whole_seconds).to_string()
        });
        let created: Option<DateTime<Utc>> = job.text("created_at").parse().ok();
        table.row([
            job.id().to_owned(),
            console::truncate_str(job.title(), 40, "…").into_owned(),
            job.standing(),
            length.unwrap_or_else(|| "-".into()),
            job.whole("mp3_size_bytes")
                .map_or_else(|| "-".into(), bytes),
            created.map_or_else(|| "-".into(), |created| since(created, now)),
        ]);
    }
    table
}
