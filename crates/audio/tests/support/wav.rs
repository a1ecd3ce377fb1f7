//! WAV files of floats, sample by sample.

/// A file with these channels, which are equally long.
pub fn wav(rate_hz: u32, channels: &[Vec<f32>]) -> Vec<u8> {
    let frame_bytes = 4 * channels.len() as u32;
    let samples = channels.first().map_or(0, Vec::len);
    let bytes = samples as u32 * frame_bytes;
    let mut file = b"RIFF".to_vec();
    file.extend((36 + bytes).to_le_bytes());
    file.extend(b"WAVEfmt \x10\0\0\0\x03\0");
    file.extend((channels.len() as u16).to_le_bytes());
    file.extend(rate_hz.to_le_bytes());
    file.extend((rate_hz * frame_bytes).to_le_bytes());
    file.extend((frame_bytes as u16).to_le_bytes());
    file.extend(b"\x20\0data");
    file.extend(bytes.to_le_bytes());
    for n in 0..samples {
        for channel in channels {
            file.extend(channel[n].to_le_bytes());
        }
    }
    file
}

/// A tone below a little noise, so that no two places are alike.
pub fn tone(rate_hz: u32, hz: f64, samples: usize) -> Vec<f32> {
    let mut noise = 1_u32;
    (0..samples)
        .map(|n| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let angle = n as f64 * hz / f64::from(rate_hz) * std::f64::consts::TAU;
            let noise = f64::from(noise >> 8) / f64::from(1 << 24) - 0.5;
            (0.4 * angle.sin() + 0.02 * noise) as f32
        })
        .collect()
}
