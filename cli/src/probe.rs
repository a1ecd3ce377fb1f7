//! What a file says of itself, printed.

use crate::{
    clock::Clock,
    failure::{EXIT_STATUS, Failure},
    source::Source,
};
use decant_audio::{CoverFormat, Error, Probe, Tags, TrackInfo};
use serde_json::{Value, json};
use std::{
    fmt::Write as _,
    io::{self, Write as _},
    process::ExitCode,
};

/// Print what a file says of itself: its tracks, its tags, its chapters.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_STATUS)]
pub(crate) struct Arguments {
    #[command(flatten)]
    source: Source,
    /// Print one JSON object, for scripts
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: Arguments) -> ExitCode {
    let json = arguments.json;
    let looked = tokio::task::spawn_blocking(move || {
        let input = arguments.source.open()?;
        decant_audio::probe(input, &arguments.source.decoder()).map_err(Failure::from)
    });
    let looked = looked.await.unwrap_or_else(|panic| {
        let panic = Error::Engine(panic.to_string());
        Err(panic.into())
    });
    let mut stdout = io::stdout();
    match looked {
        Ok(probe) => {
            let text = if json {
                format!("{}\n", as_json(&probe))
            } else {
                as_text(&probe)
            };
            let _reader_went = stdout.write_all(text.as_bytes());
            ExitCode::SUCCESS
        }
        Err(failure) => failure.report(json, &mut stdout),
    }
}

fn as_text(probe: &Probe) -> String {
    let mut text = String::new();
    let mut line = |what: &str, is: &str| {
        let _always = writeln!(text, "{what:10} {is}");
    };
    line("container", &probe.container);
    if let Some(duration) = probe.duration {
        line("duration", &Clock(duration).to_string());
    }
    for track in &probe.tracks {
        line(&format!("track {}", track.number), &track_words(track));
    }
    for (what, is) in tags(&probe.tags) {
        if let Some(is) = is {
            line(what, is);
        }
    }
    if let Some(cover) = &probe.tags.cover {
        line(
            "cover",
            &format!("{}, {} bytes", format_name(cover.format), cover.bytes.len()),
        );
    }
    for (number, chapter) in (1..).zip(&probe.chapters) {
        let title = chapter.title.as_deref().unwrap_or_default();
        let (start, end) = (Clock(chapter.start), Clock(chapter.end));
        line(
            &format!("chapter {number}"),
            format!("{start} to {end}  {title}").trim_end(),
        );
    }
    text
}

fn track_words(track: &TrackInfo) -> String {
    let mut words = vec![track.codec.clone()];
    words.extend(match track.channels {
        0 => None,
        1 => Some("mono".to_owned()),
        2 => Some("stereo".to_owned()),
        channels => Some(format!("{channels} channels")),
    });
    if track.sample_rate_hz > 0 {
        words.push(format!("{} Hz", track.sample_rate_hz));
    }
    words.extend(track.language.clone());
    words.extend(track.title.as_ref().map(|title| format!("“{title}”")));
    if track.is_default {
        words.push("default".to_owned());
    }
    words.join(", ")
}

fn as_json(probe: &Probe) -> Value {
    let tracks = probe.tracks.iter().map(|track| {
        json!({
            "number": track.number,
            "codec": track.codec,
            "channels": track.channels,
            "sample_rate_hz": track.sample_rate_hz,
            "language": track.language,
            "title": track.title,
            "default": track.is_default,
        })
    });
    let chapters = probe.chapters.iter().map(|chapter| {
        json!({
            "start_seconds": chapter.start.as_secs_f64(),
            "end_seconds": chapter.end.as_secs_f64(),
            "title": chapter.title,
        })
    });
    let cover = probe.tags.cover.as_ref().map(
        |cover| json!({ "format": format_name(cover.format), "size_bytes": cover.bytes.len() }),
    );
    let mut tags = json!(
        tags(&probe.tags)
            .into_iter()
            .collect::<std::collections::BTreeMap<_, _>>()
    );
    tags["cover"] = json!(cover);
    json!({
        "container": probe.container,
        "duration_seconds": probe.duration.map(|duration| duration.as_secs_f64()),
        "tracks": tracks.collect::<Vec<_>>(),
        "tags": tags,
        "chapters": chapters.collect::<Vec<_>>(),
    })
}

fn tags(tags: &Tags) -> [(&'static str, Option<&str>); 5] {
    [
        ("title", tags.title.as_deref()),
        ("artist", tags.artist.as_deref()),
        ("album", tags.album.as_deref()),
        ("year", tags.year.as_deref()),
        ("comment", tags.comment.as_deref()),
    ]
}

fn format_name(format: CoverFormat) -> &'static str {
    match format {
        CoverFormat::Jpeg => "jpeg",
        CoverFormat::Png => "png",
    }
}
