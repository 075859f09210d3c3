//! Counting syncs, and slowing them down, for every system alike.
//!
//! The logs that are compared reach the disk each in its own way, and in the end all of
//! them call `fdatasync` or `fsync` of the C library. This program has functions of
//! these names itself, and the linker prefers them. They count, wait for as long as was
//! asked for, and then make the same system call. So no system is changed, and a disk
//! whose sync takes longer is the same disk for each of them.

use std::ffi::{c_int, c_long};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

static COUNT: AtomicU64 = AtomicU64::new(0);
static DELAY_MICROS: AtomicU64 = AtomicU64::new(0);

/// How many syncs this process has begun.
pub(crate) fn count() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// Lets every sync take this much longer, down to the microsecond.
pub(crate) fn slow_down(delay: Duration) {
    let micros = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
    DELAY_MICROS.store(micros, Ordering::Relaxed);
}

#[expect(clippy::disallowed_methods, reason = "a slow disk is what is played here")]
fn count_and_wait() {
    COUNT.fetch_add(1, Ordering::Relaxed);
    let micros = DELAY_MICROS.load(Ordering::Relaxed);
    if micros > 0 {
        std::thread::sleep(Duration::from_micros(micros));
    }
}

/// The system call itself; it sets `errno` as the function of the C library does.
#[expect(unsafe_code, reason = "the C library's own functions are the ones replaced")]
fn system_call(number: c_long, file: c_int) -> c_int {
    // SAFETY: both calls take one file descriptor, check it themselves, and touch no
    // memory of this process.
    let outcome = unsafe { libc::syscall(number, file) };
    if outcome == 0 { 0 } else { -1 }
}

/// In place of the C library's function.
#[expect(unsafe_code, reason = "the name is what makes the linker take it")]
// SAFETY: it has the signature and the meaning of the function of that name.
#[unsafe(no_mangle)]
extern "C" fn fdatasync(file: c_int) -> c_int {
    count_and_wait();
    system_call(libc::SYS_fdatasync, file)
}

/// In place of the C library's function.
#[expect(unsafe_code, reason = "the name is what makes the linker take it")]
// SAFETY: it has the signature and the meaning of the function of that name.
#[unsafe(no_mangle)]
extern "C" fn fsync(file: c_int) -> c_int {
    count_and_wait();
    system_call(libc::SYS_fsync, file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sync_of_the_standard_library_is_counted() {
        let file = tempfile::tempfile().unwrap();
        let before = count();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert!(count() >= before + 2);
    }

    #[test]
    fn a_bad_descriptor_is_told_as_the_library_does() {
        assert_eq!(fdatasync(-1), -1);
        assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
    }
}
