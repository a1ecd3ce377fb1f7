//! The `decant-store` command.

use anyhow::Context;
use clap::Parser;
use decant_store::{Copied, LeftOut, Store, StoreUrl, copy, copy_size};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

/// Looks after the place where videos, MP3s and jobs live.
#[derive(Debug, Parser)]
#[command(name = "decant-store", version)]
enum Command {
    /// Copy everything from one store into another, and compare it there. Stop whatever uses them first.
    ///
    /// A copy that broke off goes on when the command is given again: what is there already is compared, not written.
    Copy {
        /// Where everything is: a folder, or mongodb://…
        from: StoreUrl,
        /// Where everything goes: a folder, made if absent, or mongodb://…
        to: StoreUrl,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command::Copy { from, to } = Command::parse();
    anyhow::ensure!(
        from.is_there(),
        "there is no store in FROM: name the folder that holds jobs.db"
    );
    let from = Store::open(&from).await.context("FROM can't be opened")?;
    let to = Store::open(&to).await.context("TO can't be opened")?;
    let size = copy_size(&from).await?;
    let bar = bar(size.bytes);
    let (copied, left_out) = copy(&from, &to, |so_far| show(&bar, so_far, size)).await?;
    bar.finish_and_clear();
    println!(
        "{} jobs with {} payloads ({}) are in the target, and the same there.",
        copied.jobs,
        copied.payloads,
        HumanBytes(copied.bytes)
    );
    for LeftOut { job, kind, why } in &left_out {
        eprintln!("job {job}: the {kind} can't be had from FROM: {why}");
    }
    anyhow::ensure!(
        left_out.is_empty(),
        "{} payloads were lost or damaged in FROM, and are not copied: their jobs are, without them",
        left_out.len()
    );
    Ok(())
}

fn bar(bytes: u64) -> ProgressBar {
    let bar = ProgressBar::new(bytes);
    let style = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left; {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn show(bar: &ProgressBar, so_far: Copied, size: Copied) {
    bar.set_position(so_far.bytes);
    bar.set_message(format!("{} of {} jobs", so_far.jobs, size.jobs));
}
