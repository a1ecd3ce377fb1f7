use std::{
    net::TcpListener,
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
