//! `tidal verify-backup`: is every byte of a backup what was written?

use tidal_db::verify_backup_with;

use super::backup::{Bar, info_json, info_rows, show};
use crate::args::{Global, VerifyBackupArgs};
use crate::failure::Failure;

pub(super) fn run(global: &Global, args: &VerifyBackupArgs) -> Result<(), Failure> {
    let mut bar = Bar::default();
    let info = verify_backup_with(&args.backup, &mut |step| bar.show(step))?;
    drop(bar);
    show(global, &[("verdict", "ok".to_owned())], info_rows(&info), info_json(&info))
}
