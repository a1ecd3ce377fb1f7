use crate::clock::Clock;
use decant_audio::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// How far a conversion has come, on a terminal alone. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    bar: ProgressBar,
    began: Instant,
}

impl Bar {
    pub(crate) fn new() -> Self {
        Self {
            bar: ProgressBar::no_length(),
            began: Instant::now(),
        }
    }

    /// Percent, speed and time left; where nobody knows how long the sound is, how much of it is done.
    pub(crate) fn show(&self, now: Progress) {
        let millis = |time: std::time::Duration| time.as_millis() as u64;
        let template = match now.duration {
            Some(duration) => {
                self.bar.set_length(millis(duration.max(now.position)));
                "{bar:30} {percent:>3}%, {msg}, {eta} left"
            }
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
        let speed = now.position.as_secs_f64() / self.began.elapsed().as_secs_f64().max(0.001);
        let done = Clock(std::time::Duration::from_secs(now.position.as_secs()));
        self.bar.set_message(match now.duration {
            Some(_) => format!("{speed:.0} × real time"),
            None => format!("{done} done, {speed:.0} × real time"),
        });
        self.bar.set_position(millis(now.position));
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
