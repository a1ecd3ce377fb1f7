use super::{
    Look, Where,
    follow::follow,
    job::Job,
    jobs::table,
    server::{Server, json, segment},
    upload::outcome,
};
use crate::{failure::Failure, wishes::Wishes};
use reqwest_tls::Method;
use serde_json::{Map, Value, json as object};

#[derive(Debug, clap::Args)]
pub(crate) struct Cancel {
    /// The jobs' ids
    #[arg(required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Delete {
    /// The jobs' ids
    #[arg(required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Retry {
    /// The job's id
    id: String,
    /// Wait for its end. The exit status is 3 if it fails
    #[arg(short, long)]
    wait: bool,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    at: Where,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Rename {
    /// The job's id
    id: String,
    /// The new title; empty gives the file's name back
    title: String,
    #[command(flatten)]
    look: Look,
    #[command(flatten)]
    at: Where,
}

/// Deletes jobs that have no MP3 to lose: that haven't ended, and aren't converted again.
pub(super) async fn cancel(arguments: Cancel) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    for id in &arguments.ids {
        let job = server.job(id).await?;
        if job.has_ended() || job.mp3_fid().is_some() {
            let standing = job.standing();
            let mp3 = job.mp3_fid().map_or("", |_| ", and has an MP3");
            return Err(Failure::refused(
                "ended",
                format!("{id} is {standing}{mp3}: decant delete {id} deletes all of it"),
            ));
        }
        remove(&server, id).await?;
        println!("{id} cancelled");
    }
    Ok(())
}

pub(super) async fn delete(arguments: Delete) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    for id in &arguments.ids {
        remove(&server, id).await?;
        println!("{id} deleted");
    }
    Ok(())
}

async fn remove(server: &Server, id: &str) -> Result<(), Failure> {
    let request = server.request(Method::DELETE, &format!("jobs/{}", segment(id)))?;
    server.call(request).await.map(drop)
}

pub(super) async fn retry(arguments: Retry) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    arguments.wishes.asked()?; // said here, before anything is asked of the server
    let given = arguments.wishes.given().into_iter();
    let options: Map<String, Value> = given
        .map(|(name, text)| (name.to_owned(), text.into()))
        .collect();
    let path = format!("jobs/{}/retry", segment(&arguments.id));
    let mut request = server.request(Method::POST, &path)?;
    if !options.is_empty() {
        request = request.json(&options);
    }
    let mut job: Job = json(server.call(request).await?).await?;
    if arguments.wait {
        job = follow(&server, &arguments.id, |_| {}).await?;
    }
    show(&arguments.look, &job)?;
    if arguments.wait {
        outcome(&job)
    } else {
        Ok(())
    }
}

pub(super) async fn rename(arguments: Rename) -> Result<(), Failure> {
    let server = arguments.at.signed_in()?;
    let request = server
        .request(Method::PATCH, &format!("jobs/{}", segment(&arguments.id)))?
        .json(&object!({ "title": arguments.title }));
    let job = json(server.call(request).await?).await?;
    show(&arguments.look, &job)
}

fn show(look: &Look, job: &Job) -> Result<(), Failure> {
    let shown = [job.clone()];
    let name = Some(job.id().to_owned());
    look.print(job, name, || vec![table(&shown, "")])
}
