//! Whether an MP3 has the length and the sound of the file that it was made of.

use std::f64::consts::TAU;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{hear, mp3_of};

/// How alike a channel of the MP3 and one of the source have to be.
const LEAST_CORRELATION: f64 = 0.99;

/// How long a clip is.
pub(crate) const SECONDS: &str = "2.5";

/// What the source is.
pub(crate) struct Clip<'a> {
    pub(crate) path: &'a Path,
    /// What the command has to find in it, so that the table doesn't lie.
    pub(crate) codec: &'a str,
}

/// Converts the clip and compares.
pub(crate) fn judge(clip: &Clip<'_>) -> Result<(), String> {
    let bytes = fs::read(clip.path).map_err(|error| error.to_string())?;
    let (mp3, file) = mp3_of(bytes).map_err(|error| format!("{error:?}"))?;
    let channels = usize::from(mp3.channels);
    let source = decode(clip, mp3.sample_rate_hz, channels)?;

    let rate = f64::from(mp3.sample_rate_hz);
    let frame_s = if mp3.sample_rate_hz >= 32_000 {
        1152.0
    } else {
        576.0
    } / rate;
    let source_s = source[0].len() as f64 / rate;
    let heard = hear(&file);
    for seconds in [mp3.duration.as_secs_f64(), heard.seconds()] {
        if (seconds - source_s).abs() > frame_s {
            return Err(format!("{seconds} s instead of {source_s} s"));
        }
    }
    for (name, ours, theirs) in [
        ("left", &heard.left, &source[0]),
        ("right", &heard.right, &source[channels - 1]),
    ] {
        if ours.is_empty() {
            continue; // the second one of mono
        }
        let (correlation, lag) = correlation(ours, theirs);
        if correlation < LEAST_CORRELATION {
            return Err(format!(
                "{name}: correlation {correlation:.4} at a lag of {lag}"
            ));
        }
    }
    Ok(())
}

/// The channels as the command decodes them.
fn decode(clip: &Clip<'_>, rate_hz: u32, channels: usize) -> Result<Vec<Vec<f32>>, String> {
    let run = Command::new("ffmpeg")
        .args(["-hide_banner", "-nostdin", "-i"])
        .arg(clip.path)
        .args(["-map", "0:a:0", "-f", "f32le"])
        .args([
            "-ar",
            &rate_hz.to_string(),
            "-ac",
            &channels.to_string(),
            "-",
        ])
        .output()
        .map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&run.stderr);
    let found = said
        .split("Audio: ")
        .nth(1)
        .and_then(|rest| rest.split([' ', ',']).next());
    if found != Some(clip.codec) {
        return Err(format!("ffmpeg finds {found:?} in it"));
    }
    let mut planes = vec![Vec::new(); channels];
    for (n, sample) in run.stdout.as_chunks::<4>().0.iter().enumerate() {
        planes[n % channels].push(f32::from_le_bytes(*sample));
    }
    if planes[0].len() < rate_hz as usize {
        return Err(format!(
            "ffmpeg decodes {} samples of it: {said}",
            planes[0].len()
        ));
    }
    Ok(planes)
}

/// The best that is found within an MP3 frame around the beginning, and where.
fn correlation(ours: &[f32], theirs: &[f32]) -> (f64, isize) {
    let middle = ours.len().min(theirs.len()) / 2;
    let some = &theirs[middle..middle + 2048];
    let at = |lag: isize| (middle as isize + lag) as usize;
    let lag = (-1152..=1152)
        .max_by(|a, b| {
            let [a, b] = [a, b].map(|lag| pearson(&ours[at(*lag)..at(*lag) + some.len()], some));
            a.total_cmp(&b)
        })
        .unwrap_or(0);
    let (ours, theirs) = match usize::try_from(lag) {
        Ok(lag) => (&ours[lag..], theirs),
        Err(_) => (ours, &theirs[lag.unsigned_abs()..]),
    };
    (pearson(ours, theirs), lag)
}

/// Pearson's, over the shorter of the two.
fn pearson(a: &[f32], b: &[f32]) -> f64 {
    let n = a.len().min(b.len()) as f64;
    let (mut ab, mut aa, mut bb, mut sum_a, mut sum_b) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (a, b) = (f64::from(a), f64::from(b));
        ab += a * b;
        aa += a * a;
        bb += b * b;
        sum_a += a;
        sum_b += b;
    }
    let spread = |squares: f64, sum: f64| (squares - sum * sum / n).max(f64::MIN_POSITIVE).sqrt();
    (ab - sum_a * sum_b / n) / (spread(aa, sum_a) * spread(bb, sum_b))
}

/// Two seconds and a half at 48 kHz: in each ear a sweep of its own, below what a telephone lets through, that comes and
/// goes, and some pink noise. Neither repeats, so only one alignment fits.
pub(crate) fn write_sound(path: &Path) {
    const RATE: u32 = 48_000;
    const SAMPLES: u32 = RATE * 5 / 2;
    let mut noise = [Noise::new(1), Noise::new(2)];
    let mut data = Vec::new();
    for n in 0..SAMPLES {
        let t = f64::from(n) / f64::from(RATE);
        let swell = 0.7 + 0.3 * (TAU * 1.7 * t).sin();
        let sweeps = [200.0 * t + 480.0 * t * t, 2900.0 * t - 500.0 * t * t];
        for (sweep, noise) in sweeps.into_iter().zip(&mut noise) {
            let sample = 0.4 * swell * (TAU * sweep).sin() + 0.02 * noise.next();
            data.extend(((sample * 32_767.0) as i16).to_le_bytes());
        }
    }
    let mut file = b"RIFF".to_vec();
    file.extend((36 + data.len() as u32).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x01\0\x02\0");
    file.extend(RATE.to_le_bytes());
    file.extend((4 * RATE).to_le_bytes());
    file.extend(b"\x04\0\x10\0data");
    file.extend((data.len() as u32).to_le_bytes());
    file.extend(data);
    fs::write(path, file).expect("the sound is written");
}

/// Pink noise after Paul Kellet's three poles (musicdsp.org, "Pink noise filter", the economy method).
struct Noise {
    seed: u64,
    poles: [f64; 3],
}

impl Noise {
    fn new(seed: u64) -> Self {
        Self {
            seed,
            poles: [0.0; 3],
        }
    }

    fn next(&mut self) -> f64 {
        // Knuth's MMIX generator, its upper half.
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let white = (self.seed >> 32) as f64 / f64::from(1_u32 << 31) - 1.0;
        let [a, b, c] = &mut self.poles;
        *a = 0.99765 * *a + white * 0.099_046;
        *b = 0.963 * *b + white * 0.296_516_4;
        *c = 0.57 * *c + white * 1.052_691_3;
        *a + *b + *c + white * 0.1848
    }
}
