//! `/proc/self/mountinfo`: which file systems are worth a look, each once.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One line of `proc_pid_mountinfo(5)`, without what we do not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    id: u64,
    parent: u64,
    /// `major:minor` of the file system.
    device: String,
    /// Where it is mounted, escapes decoded.
    pub(crate) path: PathBuf,
    /// The type, with its subtype: `ext4`, `fuse.sshfs`.
    pub(crate) fs_type: String,
}

/// A file system, and where it can be asked how full it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileSystem {
    /// All its mount points that can be reached, the shortest first. Some may be single files (in containers
    /// `/etc/hosts` and its like are mounted from the host), which are no place to ask at.
    pub(crate) mount_points: Vec<PathBuf>,
    /// The type, with its subtype.
    pub(crate) fs_type: String,
}

/// Reads `/proc/self/mountinfo`. Gives the mounts in the order of the file, and how many lines were garbled.
pub(crate) fn parse(text: &[u8]) -> (Vec<Mount>, usize) {
    let mut mounts = Vec::new();
    let mut garbled = 0;
    for line in text.split(|byte| *byte == b'\n') {
        if line.is_empty() {
            continue;
        }
        match parse_line(line) {
            Some(mount) => mounts.push(mount),
            None => garbled += 1,
        }
    }
    (mounts, garbled)
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`: the fields before the `-` vary
/// in number.
fn parse_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let mut text = || std::str::from_utf8(fields.next()?).ok();
    let id = text()?.parse().ok()?;
    let parent = text()?.parse().ok()?;
    let device = text()?;
    let (major, minor) = device.split_once(':')?;
    if major.parse::<u32>().is_err() || minor.parse::<u32>().is_err() {
        return None;
    }
    let device = device.to_owned();
    let _root = fields.next()?;
    let mount_point = decoded(fields.next()?);
    let _options = fields.next()?;
    fields.find(|field| *field == b"-")?;
    let fs_type = String::from_utf8_lossy(&decoded(fields.next()?)).into_owned();
    if !mount_point.starts_with(b"/") || fs_type.is_empty() {
        return None;
    }
    Some(Mount {
        id,
        parent,
        device,
        path: PathBuf::from(OsString::from_vec(mount_point)),
        fs_type,
    })
}

/// Space, tab, line end, backslash and `#` are written as `\ooo`, the octal number of the byte.
fn decoded(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let octal = match rest {
            [b'\\', digits @ ..] => digits.get(..3).and_then(octal_byte),
            _ => None,
        };
        if let Some(byte) = octal {
            bytes.push(byte);
            rest = &rest[4..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes
}

fn octal_byte(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0_u8, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(digit - b'0'),
        _ => None,
    })
}

/// Why a mount is not looked at; `None` if it is.
pub(crate) fn reason_to_skip(mount: &Mount) -> Option<&'static str> {
    match mount.fs_type.as_str() {
        "autofs" | "binder" | "binfmt_misc" | "bpf" | "cgroup" | "cgroup2" | "configfs"
        | "cpuset" | "debugfs" | "devfs" | "devpts" | "efivarfs" | "fuse.lxcfs" | "fusectl"
        | "functionfs" | "gadgetfs" | "hugetlbfs" | "ipathfs" | "mqueue" | "nfsd" | "nsfs"
        | "nullfs" | "proc" | "pstore" | "resctrl" | "rpc_pipefs" | "securityfs" | "selinuxfs"
        | "smackfs" | "spufs" | "sysfs" | "tracefs" | "usbfs" | "xenfs" => {
            Some("holds no files that were stored")
        }
        "tmpfs" | "devtmpfs" | "ramfs" | "rootfs" => Some("is memory, which is measured as such"),
        "cramfs" | "erofs" | "fuse.snapfuse" | "fuse.squashfuse" | "fuse.squashfuse_ll"
        | "iso9660" | "romfs" | "squashfs" => Some("is an image that is always full"),
        "aufs" | "overlay" | "overlayfs" | "fuse.fuse-overlayfs"
            if mount.path != Path::new("/") =>
        {
            Some("is a layer over another file system, which is measured itself")
        }
        _ => None,
    }
}

/// The file systems worth a look, each once, sorted by their shortest mount point. `excluded` is asked about each
/// mount point; a file system that is also mounted elsewhere stays, under its other name.
pub(crate) fn choose(mounts: &[Mount], excluded: impl Fn(&Path) -> bool) -> Vec<FileSystem> {
    let tree = Tree::of(mounts);
    let mut by_device: BTreeMap<&str, FileSystem> = BTreeMap::new();
    for mount in mounts {
        if reason_to_skip(mount).is_some() || excluded(&mount.path) || tree.is_hidden(mount) {
            continue;
        }
        by_device
            .entry(&mount.device)
            .or_insert_with(|| FileSystem {
                mount_points: Vec::new(),
                fs_type: mount.fs_type.clone(),
            })
            .mount_points
            .push(mount.path.clone());
    }
    let mut chosen: Vec<FileSystem> = by_device.into_values().collect();
    for file_system in &mut chosen {
        let order = |path: &PathBuf| (path.as_os_str().len(), path.clone());
        file_system.mount_points.sort_by_key(order);
        file_system.mount_points.dedup();
    }
    chosen.sort_by(|one, other| one.mount_points.cmp(&other.mount_points));
    chosen
}

/// Which mount lies on which.
struct Tree<'a> {
    by_id: HashMap<u64, &'a Mount>,
    by_parent: HashMap<u64, Vec<(usize, &'a Mount)>>,
    positions: HashMap<u64, usize>,
}

impl<'a> Tree<'a> {
    fn of(mounts: &'a [Mount]) -> Self {
        let mut by_parent: HashMap<u64, Vec<(usize, &Mount)>> = HashMap::new();
        for (position, mount) in mounts.iter().enumerate() {
            let children = by_parent.entry(mount.parent).or_default();
            children.push((position, mount));
        }
        let numbered = mounts.iter().enumerate();
        Self {
            by_id: mounts.iter().map(|mount| (mount.id, mount)).collect(),
            by_parent,
            positions: numbered
                .map(|(position, mount)| (mount.id, position))
                .collect(),
        }
    }

    /// Whether no path leads to the mount any more, so that its mount point answers for another file system.
    ///
    /// The order of the lines alone does not tell: since Linux 6.8 they are sorted by number. The parents do.
    fn is_hidden(&self, mount: &Mount) -> bool {
        let mut current = mount;
        // A garbled file may hold a circle, so the way up has as many steps as there are mounts at most.
        for _ in 0..self.by_id.len() {
            if self.is_covered(current) {
                return true;
            }
            match self.by_id.get(&current.parent) {
                Some(parent) if parent.id != current.id => current = parent,
                _ => break,
            }
        }
        false
    }

    fn is_covered(&self, mount: &Mount) -> bool {
        let children = |id: u64| self.by_parent.get(&id).into_iter().flatten();
        // Something is mounted on its very root.
        let on_top =
            children(mount.id).any(|(_, above)| above.id != mount.id && above.path == mount.path);
        // Its neighbour on the same parent sits further up the path, or was put on the same place later.
        let position = self.positions.get(&mount.id);
        on_top
            || children(mount.parent).any(|(other_position, other)| {
                other.id != mount.id
                    && other.id != mount.parent
                    && mount.path.starts_with(&other.path)
                    && (other.path != mount.path || Some(other_position) > position)
            })
    }
}
