//! What a person can do whose video became no MP3.

use decant_events::code;

/// What to do next, for a problem's code. The problem's own sentence says what happened; this goes on from there.
pub(crate) struct Advice {
    /// In order.
    pub(crate) steps: &'static [&'static str],
    /// What one does at the door, as a button says it.
    pub(crate) does: &'static str,
}

impl Advice {
    /// `can_retry`: the video is still stored, and can be converted again as it is.
    pub(crate) fn on(problem: &str, can_retry: bool) -> Self {
        match with_the_stored_video(problem).filter(|_| can_retry) {
            Some(steps) => Self {
                steps,
                does: "Convert again",
            },
            None => Self {
                steps: with_an_upload(problem),
                does: "Upload again",
            },
        }
    }
}

/// What to do where nothing is wrong with the video, on its card in the dashboard.
fn with_the_stored_video(problem: &str) -> Option<&'static [&'static str]> {
    Some(match problem {
        code::TOO_LONG => &[
            "Open Decant, choose other options for this video, and ask for a part of it: a start and an end.",
            "If you want all of it, cut the video into parts and upload them one by one.",
        ],
        "mp3-too-large" => &[
            "Open Decant, choose other options for this video, and ask for a lower quality, or for a part of it.",
            "If you want all of it as it is, cut the video into parts and upload them one by one.",
        ],
        "no-such-track" => &[
            "Open Decant, choose other options for this video, and name a track from this list.",
            "Or name none: then it is the track that the video itself begins with.",
        ],
        "nothing-left" => &[
            "Open Decant and choose other options for this video: a start that lies within it, or none.",
            "The video itself is kept: there is nothing to upload.",
        ],
        code::NOT_AN_OPTION => &[
            "Open Decant and choose other options for this video, or none: then it is converted as it is.",
            "The video itself is kept: there is nothing to upload.",
        ],
        code::GAVE_UP | code::UNDELIVERED => &[
            "Wait a little, then open Decant and try this video again. It is kept: there is nothing to upload.",
            "If this happens again, tell those who run this service.",
        ],
        _ => return None,
    })
}

/// What to do next that begins with another upload.
fn with_an_upload(problem: &str) -> &'static [&'static str] {
    match problem {
        "no-audio" => &[
            "Play the video and listen. Some recordings have a picture only.",
            "If you hear something, save the video again with its sound, as MP4, and upload that.",
        ],
        "unreadable" => &[
            "Play the file. If it doesn't play, get it again from where it came from.",
            "If it plays, save it again as MP4, as any video program can, and upload that.",
        ],
        "unsupported-codec" => &[
            "Save the video again as MP4 with AAC sound, which is what most programs mean by MP4.",
            "Upload that.",
        ],
        "truncated" => &[
            "Copy or download the file again, and wait until all of it is there.",
            "Play its last minute, then upload it.",
        ],
        "too-little-sound" | "too-much-work" | "too-much-memory" | "decoder-stalled"
        | "decoder-crashed" => &[
            "Play the video to its end. If it stops or jumps, get it again from where it came from.",
            "If it plays well, save it again as MP4 with another program and upload that.",
        ],
        "too-many-tracks" => &[
            "Save the video again with its picture and the one sound track that you want.",
            "Upload that.",
        ],
        "too-much-sound" => &[
            "Cut the video into parts.",
            "Upload them one by one: each becomes an MP3.",
        ],
        code::TOO_LONG => &[
            "Cut the video into parts and upload them one by one.",
            "Or upload it again and ask for a part of it, with a start and an end.",
        ],
        "mp3-too-large" => &[
            "Cut the video into parts and upload them one by one.",
            "Or upload it again and ask for a part of it, or for a lower quality.",
        ],
        "no-such-track" => &[
            "Upload the video again with a track from this list.",
            "Or name none: then it is the track that the video itself begins with.",
        ],
        "nothing-left" => &[
            "Look how long the video is.",
            "Upload it again with a start that lies within it, or with none.",
        ],
        code::NOT_AN_OPTION => &[
            "Upload the video again and ask for something else, or for nothing: then it is converted as it is.",
        ],
        code::VIDEO_MISSING => &[
            "Upload the video again. Nothing is wrong with it: it was lost here.",
            "If this happens again, tell those who run this service.",
        ],
        code::GAVE_UP | code::UNDELIVERED => &[
            "Wait a little, then upload the video again.",
            "If this happens again, tell those who run this service.",
        ],
        _ => &[
            "Upload the video again.",
            "If this happens again, tell those who run this service.",
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes of the contract's table, those of its first column.
    fn codes() -> impl Iterator<Item = &'static str> {
        let contracts = include_str!("../../../docs/contracts.md");
        let (_, table) = contracts
            .split_once("| `problem.code` |")
            .expect("the table of codes");
        let rows = table.lines().skip(2).take_while(|row| row.starts_with('|'));
        let cells = rows.filter_map(|row| row.split('|').nth(1));
        cells.flat_map(|cell| cell.split(',').map(|code| code.trim().trim_matches('`')))
    }

    #[test]
    fn every_code_of_the_contract_has_steps_of_its_own() {
        let unknown = with_an_upload("unheard-of");
        assert!(codes().count() >= 19);
        for code in codes() {
            assert_ne!(with_an_upload(code), unknown, "{code}");
        }
    }
}
