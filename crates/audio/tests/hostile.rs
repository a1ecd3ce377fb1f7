//! Files made to hurt: whatever the bytes, a conversion returns.

mod support;

use std::sync::LazyLock;

use decant_audio::media::{self, Container};
use proptest::prelude::*;
use proptest::sample::Index;
use support::mp3_of;

static CLIPS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut clips: Vec<_> = Container::ALL
        .into_iter()
        .map(|container| media::clip(container, 1))
        .collect();
    clips.push(media::live_webm(1));
    clips.push(media::clip_with(
        "mp4",
        1,
        &["-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"],
    ));
    clips.push(media::clip_with("ts", 1, &["-c:a", "ac3"]));
    clips.push(media::clip_with(
        "wmv",
        1,
        &["-c:v", "wmv2", "-c:a", "wmav2"],
    ));
    clips.push(media::sound_with("flac", 1, &[]));
    clips.push(media::sound_with("wav", 1, &["-c:a", "pcm_f32le"]));
    clips
});

/// Half of the damage goes to the first kilobytes, where the containers keep what can confuse.
fn damage() -> impl Strategy<Value = Vec<(Index, bool, u8)>> {
    prop::collection::vec((any::<Index>(), any::<bool>(), any::<u8>()), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_convert_or_fail_but_always_return(clip in any::<Index>(), damage in damage(), cut in any::<Option<Index>>()) {
        let mut file = clip.get(CLIPS.as_slice()).clone();
        for (place, is_early, byte) in damage {
            let within = if is_early { file.len().min(2048) } else { file.len() };
            file[place.index(within)] = byte;
        }
        if let Some(cut) = cut {
            file.truncate(cut.index(file.len()));
        }
        if let Ok((mp3, bytes)) = mp3_of(file) {
            prop_assert!(!bytes.is_empty() && mp3.duration.as_secs() < 3600);
        }
    }

    #[test]
    fn noise_behind_a_familiar_start_always_returns(clip in any::<Index>(), keep in 4_usize..400, noise in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut file = clip.get(CLIPS.as_slice())[..keep].to_vec();
        file.extend(noise);
        let _any = mp3_of(file);
    }
}

#[test]
fn samples_that_are_no_numbers_are_silence() {
    let mut file = media::sound_with("wav", 1, &["-c:a", "pcm_f32le"]);
    let start = file.len() / 2 / 4 * 4;
    for (n, sample) in file[start..start + 4000].chunks_exact_mut(4).enumerate() {
        let hostile = [
            f32::NAN,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::MAX,
            f32::MIN_POSITIVE,
        ];
        sample.copy_from_slice(&hostile[n % hostile.len()].to_le_bytes());
    }
    let (mp3, bytes) = mp3_of(file).expect("it converts");
    support::assert_valid(&bytes);
    assert_eq!(mp3.duration.as_secs(), 1);
}
