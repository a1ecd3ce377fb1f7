//! What the box needs of the system that no crate has a safe call for.

use std::ffi::{CStr, c_uint};
use std::{io, ptr};

/// The exit code of the system's loader, where a program lacks a library.
pub(crate) const NO_LIBRARIES: i32 = 127;

/// Closes every descriptor from `first` on. None of them may be owned by anything that is still used.
pub(crate) fn close_from(first: c_uint) -> io::Result<()> {
    // SAFETY: three integers. In this process nothing owns a descriptor from `first` on but the standard error, which
    // std writes to by number and whose absence it takes for an empty one.
    let closed = unsafe { libc::syscall(libc::SYS_close_range, first, c_uint::MAX, 0 as c_uint) };
    if closed == 0 {
        return Ok(());
    }
    // Linux before 5.9 and old sandboxes don't know the call.
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = most.current.unwrap_or(1 << 20).min(1 << 20);
    for descriptor in first as u64..most {
        // SAFETY: as above; most of them aren't open, which is no harm.
        unsafe { libc::close(descriptor as libc::c_int) };
    }
    Ok(())
}

/// Takes back what std does on a fault and what was inherited, so that a fault ends the process by its signal.
///
/// std's handlers ask the system for the default, which the filter refuses: the fault would come again forever.
pub(crate) fn reset_signals() {
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGXCPU] {
        // SAFETY: the default action runs no code of this process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Becomes a new instance of the running program with one argument. Comes back with the error if that fails.
pub(crate) fn execute_this_program(argument: &CStr) -> io::Error {
    let program = c"/proc/self/exe";
    let arguments = [program.as_ptr(), argument.as_ptr(), ptr::null()];
    let environment = [ptr::null()];
    // SAFETY: the path and both lists end with zeros and outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}
