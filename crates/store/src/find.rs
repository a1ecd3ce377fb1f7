//! Finding jobs by their words. Databases fold the case of ASCII alone or each in its own way, so it is done here.

use crate::{Error, Job, Jobs, State};
use decant_events::{FileId, Username};

/// How many jobs are read at once where words are looked for.
const BATCH: u32 = 200;

/// How many jobs one page of words is looked for in.
const MOST: u32 = 2_000;

/// Which jobs are looked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Whose jobs; everybody's without it.
    pub owner: Option<Username>,
    /// In one of these states; in any, if there is none.
    pub states: Vec<State>,
    /// What the title or the file name holds, in small or capital letters.
    pub words: Option<String>,
}

/// Some of the jobs that fit, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// The job that older ones come after, if there may be more.
    pub next: Option<FileId>,
}

pub(crate) async fn page(
    jobs: &(impl Jobs + ?Sized),
    wanted: &Wanted,
    mut before: Option<FileId>,
    limit: u32,
) -> Result<Page, Error> {
    let words = wanted.words.as_ref().map(|words| words.to_lowercase());
    // One more than the page holds tells whether there is a next one.
    let batch = match words {
        Some(_) => BATCH,
        None => limit.saturating_add(1),
    };
    let mut found = Vec::new();
    let mut looked_at = 0;
    while looked_at < MOST {
        let owner = wanted.owner.as_ref();
        let read = jobs.list_in(owner, &wanted.states, before, batch).await?;
        let is_last = read.len() < batch as usize;
        for job in read {
            if found.len() >= limit as usize {
                return Ok(Page {
                    jobs: found,
                    next: before,
                });
            }
            before = Some(job.id);
            if words.as_ref().is_none_or(|words| holds(&job, words)) {
                found.push(job);
            }
        }
        if is_last {
            return Ok(Page {
                jobs: found,
                next: None,
            });
        }
        looked_at += batch;
    }
    Ok(Page {
        jobs: found,
        next: before,
    })
}

fn holds(job: &Job, words: &str) -> bool {
    job.title().to_lowercase().contains(words) || job.file_name.to_lowercase().contains(words)
}
