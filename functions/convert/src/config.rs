use bytesize::ByteSize;
use decant_audio::{Decoder, Limits};
use decant_function::{ServerConfig, duration, size};
use decant_store::StoreConfig;
use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

/// Turns uploaded videos into MP3s. Every flag is an environment variable too.
#[derive(Debug, clap::Parser)]
#[command(name = "decant-convert", version, args_override_self = true)]
pub struct Config {
    /// Where the function listens.
    #[command(flatten)]
    pub server: ServerConfig,
    /// Where payloads and jobs live.
    #[command(flatten)]
    pub store: StoreConfig,
    /// How long a conversion may take. Above it the job fails as `too-long`: keep it below what the platform
    /// lets a request take.
    #[arg(
        long,
        env = "DECANT_CONVERT_TIMEOUT",
        value_name = "DECANT_CONVERT_TIMEOUT",
        default_value = "570s",
        value_parser = duration
    )]
    pub timeout: Duration,
    /// How many conversions run at once, each of them on all cores; by default two, or one where there is one core. Two, so
    /// that a short video doesn't wait for the end of a long one.
    #[arg(
        long,
        env = "DECANT_CONVERT_PARALLEL",
        value_name = "DECANT_CONVERT_PARALLEL",
        default_value_t = two_or_one()
    )]
    pub parallel: NonZeroUsize,
    /// The program that demuxes and decodes in a box; by default `decant-decode` beside this program.
    #[arg(long, env = "DECANT_DECODER", value_name = "DECANT_DECODER")]
    pub decoder: Option<PathBuf>,
    /// How much sound a video may have. Above it the job fails as `too-much-sound`.
    #[arg(
        long,
        env = "DECANT_MAX_SOUND",
        value_name = "DECANT_MAX_SOUND",
        default_value = "12h",
        value_parser = duration
    )]
    pub max_sound: Duration,
    /// How large an MP3 may become. Above it the job fails as `mp3-too-large`.
    #[arg(
        long,
        env = "DECANT_MAX_MP3",
        value_name = "DECANT_MAX_MP3",
        default_value = "2GiB",
        value_parser = size
    )]
    pub max_mp3: ByteSize,
    /// How many tracks a video may have. Above it the job fails as `too-many-tracks`.
    #[arg(
        long,
        env = "DECANT_MAX_TRACKS",
        value_name = "DECANT_MAX_TRACKS",
        default_value = "100"
    )]
    pub max_tracks: NonZeroU32,
    /// How long the decoder may work on a processor for one video. Above it the job fails as `too-much-work`.
    #[arg(
        long,
        env = "DECANT_DECODER_CPU",
        value_name = "DECANT_DECODER_CPU",
        default_value = "5m",
        value_parser = duration
    )]
    pub decoder_cpu: Duration,
    /// How much address space the decoder may have; about twenty megabytes are in use. Above it the job fails as
    /// `too-much-memory`.
    #[arg(
        long,
        env = "DECANT_DECODER_MEMORY",
        value_name = "DECANT_DECODER_MEMORY",
        default_value = "512MiB",
        value_parser = size
    )]
    pub decoder_memory: ByteSize,
    /// How long the decoder may say nothing. After it the job fails as `decoder-stalled`.
    #[arg(
        long,
        env = "DECANT_DECODER_SILENCE",
        value_name = "DECANT_DECODER_SILENCE",
        default_value = "30s",
        value_parser = duration
    )]
    pub decoder_silence: Duration,
    /// Make a job of an event that has none: another producer's, whose video is in the store already.
    #[arg(
        long,
        env = "DECANT_FOREIGN_EVENTS",
        value_name = "DECANT_FOREIGN_EVENTS"
    )]
    pub foreign_events: bool,
}

impl Config {
    /// The decoder with its limits.
    pub(crate) fn decoder(&self) -> Decoder {
        let mut decoder = Decoder::at_or_beside(self.decoder.clone());
        decoder.limits = Limits {
            sound: self.max_sound,
            mp3_bytes: self.max_mp3.as_u64(),
            cpu: self.decoder_cpu,
            memory_bytes: self.decoder_memory.as_u64(),
            streams: self.max_tracks.get(),
            silence: self.decoder_silence,
        };
        decoder
    }
}

fn two_or_one() -> NonZeroUsize {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    cores.min(const { NonZeroUsize::new(2).expect("not zero") })
}
