use std::{
    env,
    net::TcpListener,
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
};

/// A port that nobody listens on. Below those that the kernel gives to whoever asks for any, so that it stays free.
pub fn free_port() -> u16 {
    const FIRST: u16 = 11_000;
    const PORTS: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Another run at the same time begins elsewhere.
    let begin = u16::try_from(std::process::id() * 61 % u32::from(PORTS)).expect("it is small");
    (0..PORTS)
        .map(|_| FIRST + begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS)
        .find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok())
        .expect("a free port")
}

/// The program under test: it lies in the folder above the test's own.
pub(crate) fn decant() -> PathBuf {
    let test = env::current_exe().expect("the test's own program");
    let profile = test.ancestors().nth(2).expect("target/PROFILE/deps/test");
    for name in [
        "decant",
        "decant-auth",
        "decant-upload",
        "decant-convert",
        "decant-notify",
    ] {
        assert!(
            profile.join(name).is_file(),
            "there is no {} yet: run ./test, or `cargo build --workspace --bins` first",
            profile.join(name).display()
        );
    }
    profile.join("decant")
}
