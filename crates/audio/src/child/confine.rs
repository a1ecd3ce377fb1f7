//! Closes the box around this process. After it there are two pipes, memory and time, all of them bounded.

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::process;

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, Signal, getppid, getrlimit, setrlimit};
use rustix::thread::set_no_new_privs;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use crate::Missing;
use crate::native::confine::{close_from, reset_signals};
use crate::protocol::Order;

/// # Errors
/// Says what could not be done of that which every kernel can do.
pub(super) fn confine(order: &Order) -> Result<Missing, String> {
    let step = |name: &'static str| move |error: rustix::io::Errno| format!("{name}: {error}");

    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(step("the parent's death can't be noticed"))?;
    let parent = getppid().and_then(|pid| u32::try_from(pid.as_raw_nonzero().get()).ok());
    if parent != Some(order.parent) {
        process::exit(1); // it died before it could be noticed
    }
    set_no_new_privs(true).map_err(step("privileges can't be given up"))?;
    reset_signals();
    // Nothing but the two pipes, whatever the parent has leaked.
    close_from(2).map_err(|error| format!("descriptors can't be closed: {error}"))?;
    for (resource, soft, hard) in [
        (Resource::As, order.memory_bytes, order.memory_bytes),
        // The soft limit ends it with a signal of its own, by which the parent knows; the hard one can't be caught.
        (
            Resource::Cpu,
            order.cpu_seconds,
            order.cpu_seconds.saturating_add(1),
        ),
        (Resource::Fsize, 0, 0),
        (Resource::Nproc, 0, 0),
        (Resource::Core, 0, 0),
        (Resource::Memlock, 0, 0),
        (Resource::Msgqueue, 0, 0),
    ] {
        limit(resource, soft, hard).map_err(step("a limit can't be set"))?;
    }
    let has_landlock = restrict_files().is_some(); // needs a descriptor, the last one
    limit(Resource::Nofile, 0, 0).map_err(step("a limit can't be set"))?;
    let has_seccomp = filter_calls().is_some();
    Ok(Missing {
        landlock: !has_landlock,
        seccomp: !has_seccomp,
    })
}

/// Lowers a limit. One that is lower already stays: nobody without rights can raise it.
fn limit(resource: Resource, soft: u64, hard: u64) -> Result<(), rustix::io::Errno> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit {
        current: Some(soft.min(most)),
        maximum: Some(hard.min(most)),
    };
    setrlimit(resource, limit)
}

/// Takes every right that Landlock knows of and gives none back. `None` where the kernel has no Landlock.
fn restrict_files() -> Option<()> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(ABI::V6))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI::V6)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI::V6)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.restrict_self())
        .ok()?;
    // An older Landlock knows fewer rights; seccomp refuses the calls themselves.
    (restricted.ruleset != RulesetStatus::NotEnforced).then_some(())
}

/// Lets through the system calls that decoding needs; all others fail with EPERM. `None` where the kernel has no
/// seccomp, or this crate no table for the machine.
fn filter_calls() -> Option<()> {
    let program = filter().ok()?;
    apply_filter(&program).ok()
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    use libc::*;

    let argument = |index, operator, value: u64| {
        SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)
            .and_then(|condition| SeccompRule::new(vec![condition]))
    };
    let is = |index, value: u64| argument(index, SeccompCmpOp::Eq, value);
    let not_executable = || argument(2, SeccompCmpOp::MaskedEq(PROT_EXEC as u64), 0);

    let mut rules = BTreeMap::from([
        (SYS_read, vec![is(0, 0)?]),
        (SYS_write, vec![is(0, 1)?]),
        (SYS_mmap, vec![not_executable()?]),
        (SYS_mprotect, vec![not_executable()?]),
        // `abort` signals the process itself.
        (SYS_tgkill, vec![is(0, process::id().into())?]),
    ]);
    for call in [
        SYS_brk,
        SYS_munmap,
        SYS_mremap,
        SYS_madvise,
        SYS_futex,
        SYS_getrandom,
        SYS_getrusage,
        SYS_clock_gettime,
        SYS_clock_getres,
        SYS_gettimeofday,
        SYS_sched_yield,
        SYS_getpid,
        SYS_gettid,
        SYS_rt_sigprocmask,
        SYS_rt_sigreturn,
        SYS_sigaltstack,
        SYS_restart_syscall,
        SYS_exit,
        SYS_exit_group,
    ] {
        rules.insert(call, Vec::new());
    }
    SeccompFilter::new(
        rules,
        SeccompAction::Errno(EPERM as u32),
        SeccompAction::Allow,
        TargetArch::try_from(ARCH)?,
    )?
    .try_into()
}
