//! What the box needs of the system that no crate has a safe call for.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ffi::{CStr, c_uint};
use std::mem::MaybeUninit;
use std::{io, ptr};

use super::limits::MAX_ALLOCATION_BYTES;

/// The exit code of the system's loader, where a program lacks a library.
pub(crate) const NO_LIBRARIES: i32 = 127;

/// The decoder's exit code where there is no memory for something of its own, such as a packet on its way to FFmpeg.
pub(crate) const OUT_OF_MEMORY: i32 = 12;

/// The system's allocator, that ends the process with an exit code of its own where Rust would abort it: that looks like a
/// crash from outside.
#[derive(Debug)]
pub struct ExitsWithoutMemory;

// SAFETY: all of it is the system's, and a process that has ended breaks no promise.
unsafe impl GlobalAlloc for ExitsWithoutMemory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on, here and below.
        given(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        given(unsafe { System.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

fn given(memory: *mut u8, size: usize) -> *mut u8 {
    // So large a piece is asked for only by who wants to know whether it is there: `Error::of_file`.
    if memory.is_null() && size < MAX_ALLOCATION_BYTES {
        // SAFETY: runs nothing of this process any more.
        unsafe { libc::_exit(OUT_OF_MEMORY) }
    }
    memory
}

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

/// The most memory that this process has used at once.
pub(crate) fn peak_memory_bytes() -> u64 {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: it writes one `rusage`, of which every value is valid, zeros too.
    let kib = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init().ru_maxrss
    };
    u64::try_from(kib).unwrap_or(0) * 1024
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
