//! Threads that work in the background: they leave the processor to those that somebody
//! waits for.
//!
//! A write wakes several threads one after the other. Where others keep every core busy,
//! each may wait for a time slice of some milliseconds, unless those others are known to be
//! less urgent.

/// How much less urgent: ten steps of niceness, about a tenth of the share of a thread that
/// has none. On an idle machine it makes no difference.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Makes the thread that calls it, and those that it starts from then on, less urgent than
/// others. On Linux; elsewhere, and where it is not permitted, nothing changes.
pub fn yield_to_others() {
    #[cfg(target_os = "linux")]
    {
        // Linux takes the process 0 for the thread that asks. A thread that is less urgent
        // already stays so.
        let is_urgent =
            rustix::process::getpriority_process(None).is_ok_and(|niceness| niceness < NICENESS);
        if is_urgent {
            // Where it is not permitted, it goes on as it was.
            rustix::process::setpriority_process(None, NICENESS).unwrap_or(());
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::thread;

    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn a_thread_and_its_children_are_less_urgent_and_no_others() {
        let before = getpriority_process(None).unwrap();
        let (own, child) = thread::spawn(|| {
            yield_to_others();
            let child = thread::spawn(|| getpriority_process(None).unwrap());
            (getpriority_process(None).unwrap(), child.join().unwrap())
        })
        .join()
        .unwrap();
        assert_eq!((own, child), (before.max(NICENESS), before.max(NICENESS)));
        assert_eq!(getpriority_process(None).unwrap(), before);
    }
}
