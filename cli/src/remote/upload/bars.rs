use super::Job;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

const NAME: usize = 24;

/// Two lines a file, on a terminal alone: how far its upload is, and its conversion.
pub(super) struct Bars {
    all: MultiProgress,
    with_conversion: bool,
}

impl Bars {
    pub(super) fn new(with_conversion: bool) -> Self {
        Self {
            all: MultiProgress::new(),
            with_conversion,
        }
    }

    pub(super) fn pair(&self, name: &str) -> Pair {
        let name = console::truncate_str(name, NAME, "…").into_owned();
        let upload = self.all.add(ProgressBar::no_length());
        style(
            &upload,
            "{prefix:24} upload     {bar:24} {percent:>3} %, {msg}{eta} left",
        );
        upload.set_prefix(name);
        let conversion = if self.with_conversion {
            self.all.add(ProgressBar::new(100))
        } else {
            ProgressBar::hidden()
        };
        style(
            &conversion,
            "                         conversion {bar:24} {percent:>3} %, {msg}",
        );
        conversion.set_message("not yet");
        conversion.tick();
        Pair { upload, conversion }
    }

    pub(super) fn clear(&self) {
        let _on_a_terminal = self.all.clear();
    }
}

/// The lines of one file.
pub(super) struct Pair {
    upload: ProgressBar,
    conversion: ProgressBar,
}

impl Pair {
    pub(super) fn sent(&self, offset: u64, of: u64) {
        self.upload.set_length(of);
        self.upload.set_position(offset);
    }

    pub(super) fn interrupted(&self, why: &str) {
        self.upload.set_message(format!("{why}; trying again, "));
    }

    pub(super) fn goes_on(&self) {
        self.upload.set_message("");
    }

    pub(super) fn uploaded(&self) {
        style(&self.upload, "{prefix:24} upload     {bar:24} 100 %");
        self.upload.finish();
    }

    pub(super) fn converting(&self, job: &Job) {
        let percent = job.number("progress_percent").unwrap_or_default();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a percentage"
        )]
        self.conversion
            .set_position(percent.clamp(0.0, 100.0) as u64);
        self.conversion.set_message(job.standing());
    }

    pub(super) fn ended(&self, job: &Job) {
        self.converting(job);
        self.conversion.finish();
    }
}

fn style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
