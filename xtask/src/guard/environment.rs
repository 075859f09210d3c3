//! What a count depends on beside the code.

use std::fmt;
use std::process;

use crate::failure::{Failure, Result};

/// What is known of it, each by its name. The compiler and the target decide which
/// instructions there are; valgrind, which processor the program sees, and so which of its
/// functions the C library chooses; and its version, how these and the allocator work.
pub(super) const NAMES: [&str; 5] = ["compiler", "target", "valgrind", "libc", "processor"];

/// What a count was taken with: a value for each of [`NAMES`], in their order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Environment([String; NAMES.len()]);

impl Environment {
    /// The environment with these values.
    pub(super) fn of<E>(
        mut value: impl FnMut(&'static str) -> std::result::Result<String, E>,
    ) -> std::result::Result<Self, E> {
        let [a, b, c, d, e] = NAMES;
        Ok(Self([value(a)?, value(b)?, value(c)?, value(d)?, value(e)?]))
    }

    /// That of this machine.
    pub(super) fn here() -> Result<Self> {
        let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
        let versions = said(&rustc, &["-vV"])
            .ok_or_else(|| Failure::failed(format!("`{rustc} -vV` does not tell its version")))?;
        Self::of(|name| match name {
            "compiler" => Ok(versions.lines().next().unwrap_or_default().to_owned()),
            "target" => host(&versions)
                .ok_or_else(|| Failure::failed(format!("`{rustc} -vV` does not tell its host"))),
            "valgrind" => Ok(super::callgrind::version().unwrap_or_else(unknown)),
            "libc" => Ok(said("getconf", &["GNU_LIBC_VERSION"]).unwrap_or_else(unknown)),
            _ => Ok(processor().into()),
        })
    }

    /// How another one differs from the one that the kept counts were taken in.
    pub(super) fn difference(&self, here: &Self) -> Option<String> {
        let values = self.0.iter().zip(&here.0);
        let differences: Vec<_> = NAMES
            .iter()
            .zip(values)
            .filter(|(_, (kept, here))| kept != here)
            .map(|(name, (kept, here))| format!("{name} `{kept}`, and here it is `{here}`"))
            .collect();
        (!differences.is_empty())
            .then(|| format!("the counts were kept with {}", differences.join("; with ")))
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut values = NAMES.iter().zip(&self.0);
        values.try_for_each(|(name, value)| writeln!(f, "{name}: {value}"))
    }
}

fn unknown() -> String {
    "unknown".into()
}

/// What a program prints; `None` where it does not start or fails.
fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = process::Command::new(program).args(words).output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| said.trim().to_owned())
}

fn host(versions: &str) -> Option<String> {
    versions.lines().find_map(|line| line.strip_prefix("host: ")).map(str::to_owned)
}

/// The kind of processor that valgrind shows to a program: it knows no instructions beyond
/// AVX2, and shows one and the same processor on every machine that has these.
fn processor() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    if !std::arch::is_x86_feature_detected!("avx2") {
        return "without AVX2";
    }
    if cfg!(target_arch = "x86_64") { "with AVX2" } else { std::env::consts::ARCH }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &str, value: &str) -> Environment {
        let values = |of: &str| Ok::<_, String>(if of == name { value } else { "same" }.into());
        Environment::of(values).unwrap()
    }

    #[test]
    fn what_differs_is_named_with_both_values() {
        assert_eq!(with("", "").difference(&with("", "")), None);
        for name in NAMES {
            assert_eq!(
                with(name, "1.0").difference(&with(name, "2.0")).unwrap(),
                format!("the counts were kept with {name} `1.0`, and here it is `2.0`")
            );
        }
        let both = with("libc", "1.0").difference(&with("target", "2.0")).unwrap();
        let expected = "the counts were kept with target `same`, and here it is `2.0`; \
                        with libc `1.0`, and here it is `same`";
        assert_eq!(both, expected);
    }

    #[test]
    fn this_machine_is_known() {
        let here = Environment::here().unwrap().to_string();
        assert!(here.starts_with("compiler: rustc ") && here.contains("\ntarget: "), "{here}");
    }
}
