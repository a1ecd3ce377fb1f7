//! Links the LAME that `scripts/native-libs` has built. FFmpeg is found the same way, by `ffmpeg-sys-next`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if let Err(reason) = pkg_config::Config::new().statik(true).probe("libmp3lame") {
        panic!("libmp3lame isn't built yet: run scripts/native-libs once ({reason})");
    }
}
