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
    /// Whether the file system itself is read-only, not just this mount of it.
    read_only: bool,
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
    let _source = fields.next();
    let mut options = fields
        .next()
        .unwrap_or_default()
        .split(|byte| *byte == b',');
    if !mount_point.starts_with(b"/") || fs_type.is_empty() {
        return None;
    }
    Some(Mount {
        id,
        parent,
        device,
        path: PathBuf::from(OsString::from_vec(mount_point)),
        fs_type,
        read_only: options.any(|option| option == b"ro"),
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
        // The root of an image-based system (composefs): always full, as its image is.
        "overlay" if mount.read_only => Some("is a layer that nothing can be stored in"),
        fs_type if fs_type.starts_with("fuse.") && fs_type.ends_with(".AppImage") => {
            Some("is an image that is always full")
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
        if self.has_one_on_its_root(mount) {
            return true;
        }
        let mut current = mount;
        // A garbled file may hold a circle, so the way up has as many steps as there are mounts at most.
        for _ in 0..self.by_id.len() {
            if self.is_bypassed(current) {
                return true;
            }
            match self.by_id.get(&current.parent) {
                Some(parent) if parent.id != current.id => current = parent,
                _ => break,
            }
        }
        false
    }

    fn children(&self, id: u64) -> impl Iterator<Item = &(usize, &'a Mount)> {
        self.by_parent.get(&id).into_iter().flatten()
    }

    /// Whether something is mounted on its very root. What else hangs on that root is bypassed then.
    fn has_one_on_its_root(&self, mount: &Mount) -> bool {
        self.children(mount.id)
            .any(|(_, above)| above.id != mount.id && above.path == mount.path)
    }

    /// Whether the way to it now leads into a neighbour on the same parent, which sits further up the path, or was
    /// put on the same place later.
    fn is_bypassed(&self, mount: &Mount) -> bool {
        if mount.parent == mount.id {
            return false; // the very first mount, which hangs on nothing
        }
        let position = self.positions.get(&mount.id);
        self.children(mount.parent).any(|(other_position, other)| {
            other.id != mount.id
                && other.id != other.parent
                && mount.path.starts_with(&other.path)
                && (other.path != mount.path || Some(other_position) > position)
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is chosen: `first mount point|other mount points`.
    fn chosen(text: &str) -> Vec<String> {
        chosen_without(text, |_| false)
    }

    fn chosen_without(text: &str, excluded: impl Fn(&Path) -> bool) -> Vec<String> {
        let (mounts, garbled) = parse(text.as_bytes());
        assert_eq!(garbled, 0, "garbled lines in `{text}`");
        let joined = |file_system: FileSystem| {
            let points = file_system.mount_points.into_iter();
            let points: Vec<String> = points.map(|point| point.display().to_string()).collect();
            points.join("|")
        };
        choose(&mounts, excluded).into_iter().map(joined).collect()
    }

    /// A desktop with snaps, a stick with a space in its name, FUSE, and Docker.
    const DESKTOP: &str = "\
22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
23 28 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
24 28 0:5 / /dev rw,nosuid,relatime shared:2 - devtmpfs udev rw,size=8085060k,nr_inodes=2021265,mode=755
26 28 0:24 / /run rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw,size=1624340k,mode=755
28 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw,errors=remount-ro
31 23 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate
40 22 0:33 / /proc/sys/fs/binfmt_misc rw,relatime shared:16 - autofs systemd-1 rw,fd=29,pgrp=1,timeout=0
80 28 7:0 / /snap/core22/1380 ro,nodev,relatime shared:40 - squashfs /dev/loop0 ro,errors=continue
92 28 259:1 / /boot/efi rw,relatime shared:46 - vfat /dev/nvme0n1p1 rw,fmask=0077,dmask=0077
140 28 0:52 / /var/lib/docker/overlay2/9f1c/merged rw,relatime shared:90 - overlay overlay rw,lowerdir=/l
141 26 0:4 net:[4026532281] /run/docker/netns/4d1f rw shared:95 - nsfs nsfs rw
300 26 0:60 / /run/user/1000/doc rw,nosuid,nodev,relatime shared:300 - fuse.portal portal rw,user_id=1000
310 28 8:17 / /media/ada/My\\040Stick rw,nosuid,nodev,relatime shared:310 - exfat /dev/sdb1 rw,uid=1000
311 28 11:0 / /media/ada/DVD ro,nosuid,nodev,relatime shared:311 - iso9660 /dev/sr0 ro
";

    #[test]
    fn a_desktop_shows_its_disks_and_nothing_else() {
        assert_eq!(
            chosen(DESKTOP),
            [
                "/",
                "/boot/efi",
                "/media/ada/My Stick",
                "/run/user/1000/doc"
            ]
        );
    }

    /// In a container of Docker: the root is a layer, three files and a volume come from one disk of the host.
    const CONTAINER: &str = "\
1520 1351 0:132 / / rw,relatime master:612 - overlay overlay rw,lowerdir=/l/QX3V:/l/7KDA,upperdir=/d,workdir=/w
1521 1520 0:135 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw
1522 1520 0:136 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
1523 1522 0:137 / /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw,gid=5,mode=620,ptmxmode=666
1528 1522 0:131 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs shm rw,size=65536k
1531 1520 8:1 /var/lib/docker/containers/f3/resolv.conf /etc/resolv.conf rw,relatime - ext4 /dev/sda1 rw
1532 1520 8:1 /var/lib/docker/containers/f3/hostname /etc/hostname rw,relatime - ext4 /dev/sda1 rw
1533 1520 8:1 /var/lib/docker/containers/f3/hosts /etc/hosts rw,relatime - ext4 /dev/sda1 rw
1534 1520 8:1 /var/lib/docker/volumes/db/_data /var/lib/postgresql/data rw,relatime master:1 - ext4 /dev/sda1 rw
1353 1521 0:135 /bus /proc/bus ro,nosuid,nodev,noexec,relatime - proc proc rw
1355 1521 0:138 / /proc/acpi ro,relatime - tmpfs tmpfs ro
";

    #[test]
    fn a_container_shows_its_root_and_its_volume() {
        assert_eq!(
            chosen(CONTAINER),
            [
                "/",
                "/etc/hosts|/etc/hostname|/etc/resolv.conf|/var/lib/postgresql/data"
            ]
        );
    }

    /// An image-based system: its root is an image, what is stored lies on one disk with many mounts.
    const IMAGE_BASED: &str = "\
60 1 0:35 / / ro,relatime shared:1 - overlay composefs ro,seclabel,lowerdir+=/run/cfs,datadir+=/ostree/repo
61 60 252:4 /ostree/deploy/fedora/deploy/9f.0/etc /etc rw,relatime shared:2 - xfs /dev/vda4 rw,seclabel,prjquota
62 60 252:4 / /sysroot ro,relatime shared:3 - xfs /dev/vda4 rw,seclabel,prjquota
63 60 252:4 /ostree/deploy/fedora/var /var rw,relatime shared:4 - xfs /dev/vda4 rw,seclabel,prjquota
64 60 252:3 / /boot ro,nosuid,nodev,relatime shared:5 - ext4 /dev/vda3 rw,seclabel
65 63 0:70 / /var/tmp/.mount_Obsidi9f ro,nosuid,nodev,relatime shared:6 - fuse.Obsidian.AppImage Obsidian.AppImage ro
";

    #[test]
    fn an_image_is_always_full_and_no_news() {
        assert_eq!(chosen(IMAGE_BASED), ["/boot", "/etc|/var|/sysroot"]);
    }

    /// Btrfs with subvolumes: one device number, however many mounts.
    const BTRFS: &str = "\
26 1 0:29 /@ / rw,relatime shared:1 - btrfs /dev/mapper/root rw,compress=zstd:1,subvolid=256,subvol=/@
41 26 0:29 /@home /home rw,relatime shared:20 - btrfs /dev/mapper/root rw,subvolid=257,subvol=/@home
42 26 0:29 /@log /var/log rw,relatime shared:21 - btrfs /dev/mapper/root rw,subvolid=258,subvol=/@log
";

    #[test]
    fn subvolumes_are_one_file_system() {
        assert_eq!(chosen(BTRFS), ["/|/home|/var/log"]);
    }

    /// NFS behind a direct autofs mount, an export mounted twice, a bind mount, and ZFS data sets.
    const SERVER: &str = "\
20 1 253:0 / / rw,relatime shared:1 - xfs /dev/mapper/vg-root rw,attr2,inode64
50 20 0:44 / /nfs/home rw,relatime shared:30 - autofs /etc/auto.direct rw,fd=6,pgrp=900,timeout=300,direct
51 50 0:45 / /nfs/home rw,relatime shared:31 - nfs4 nas:/home rw,vers=4.2,addr=10.0.0.9
52 20 0:46 / /nfs/idle rw,relatime shared:32 - autofs /etc/auto.direct rw,fd=6,pgrp=900,timeout=300,direct
53 20 0:45 / /export/home-of-everyone rw,relatime shared:31 - nfs4 nas:/home rw,vers=4.2,addr=10.0.0.9
60 20 253:0 /srv/www /var/www rw,relatime shared:1 - xfs /dev/mapper/vg-root rw,attr2,inode64
70 20 0:50 / /tank rw,noatime shared:40 - zfs tank rw,xattr,noacl
71 70 0:51 / /tank/backup rw,noatime shared:41 - zfs tank/backup rw,xattr,noacl
";

    #[test]
    fn a_file_system_is_shown_once_under_its_shortest_name() {
        assert_eq!(
            chosen(SERVER),
            [
                "/|/var/www",
                "/nfs/home|/export/home-of-everyone",
                "/tank",
                "/tank/backup"
            ]
        );
    }

    #[test]
    fn a_name_that_is_excluded_leaves_the_others() {
        let excluded = |path: &Path| path.starts_with("/tank") || path == Path::new("/");
        assert_eq!(
            chosen_without(SERVER, excluded),
            ["/nfs/home|/export/home-of-everyone", "/var/www"]
        );
    }

    #[test]
    fn what_is_hidden_by_a_later_mount_is_not_asked() {
        // On the same place; order of lines as since Linux 6.8, by number.
        let stacked = "\
20 1 8:1 / / rw - ext4 /dev/sda1 rw
30 20 8:2 / /data rw - ext4 /dev/sda2 rw
31 30 8:3 / /data rw - xfs /dev/sda3 rw
";
        assert_eq!(chosen(stacked), ["/", "/data"]);
        let (mounts, _) = parse(stacked.as_bytes());
        let chosen_types: Vec<String> = (choose(&mounts, |_| false).into_iter())
            .map(|file_system| file_system.fs_type)
            .collect();
        assert_eq!(chosen_types, ["ext4", "xfs"]);
        // Further up the path, with what hangs below; the number of the upper mount may be the smaller one.
        let above = "\
20 1 8:1 / / rw - ext4 /dev/sda1 rw
25 20 0:9 / /mnt rw - tmpfs tmpfs rw
30 20 8:2 / /mnt/data rw - ext4 /dev/sda2 rw
31 30 8:3 / /mnt/data/deep rw - ext4 /dev/sda3 rw
32 25 8:4 / /mnt/seen rw - ext4 /dev/sda4 rw
33 20 8:5 / /mntx rw - ext4 /dev/sda5 rw
";
        assert_eq!(chosen(above), ["/", "/mnt/seen", "/mntx"]);
        // The root that the system booted from lies below the one in use.
        let booted = "\
1 1 0:2 / / rw - rootfs rootfs rw
20 1 8:1 / / rw - ext4 /dev/sda1 rw
21 20 8:2 / /home rw - ext4 /dev/sda2 rw
";
        assert_eq!(chosen(booted), ["/", "/home"]);
    }

    #[test]
    fn escapes_are_decoded_and_nothing_else() {
        for (written, plain) in [
            ("/a\\040b", "/a b"),
            ("/a\\011b\\012c\\134d\\043e", "/a\tb\nc\\d#e"),
            ("/home\\040-\\040dir", "/home - dir"),
            ("/a\\04", "/a\\04"),
            ("/a\\999", "/a\\999"),
            ("/a\\777", "/a\\777"),
            ("/a\\", "/a\\"),
        ] {
            let line = format!("30 20 8:2 / {written} rw shared:1 master:2 - ext4 /dev/sda2 rw\n");
            let (mounts, garbled) = parse(line.as_bytes());
            assert_eq!(garbled, 0);
            assert_eq!(mounts[0].path, Path::new(plain), "`{written}`");
        }
    }

    #[test]
    fn garbled_lines_are_counted() {
        let text = "\
20 1 8:1 / / rw - ext4 /dev/sda1 rw
20 1 8:1 / / rw ext4 /dev/sda1 rw
x 1 8:1 / /a rw - ext4 /dev/sda1 rw
20 1 8 / /a rw - ext4 /dev/sda1 rw
20 1 8:1 / relative rw - ext4 /dev/sda1 rw
20 1 8:1
20 1 8:1 / /a rw -
";
        let (mounts, garbled) = parse(text.as_bytes());
        assert_eq!((mounts.len(), garbled), (1, 6));
    }

    #[test]
    fn a_circle_of_parents_ends() {
        let circle = "\
20 21 8:1 / /a rw - ext4 /dev/sda1 rw
21 20 8:2 / /b rw - ext4 /dev/sda2 rw
";
        assert_eq!(chosen(circle), ["/a", "/b"]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let (mounts, _) = parse(&bytes);
            choose(&mounts, |_| false);
        }

        #[test]
        fn no_tree_panics_and_no_device_comes_twice(
            lines in proptest::collection::vec((0_u64..6, 0_u64..6, 0_u32..4, "(/[ab]){1,3}|/"), 0..12)
        ) {
            let text: Vec<String> = lines
                .iter()
                .map(|(id, parent, minor, path)| format!("{id} {parent} 8:{minor} / {path} rw - ext4 /dev/x rw"))
                .collect();
            let text = text.join("\n");
            let (mounts, garbled) = parse(text.as_bytes());
            prop_assert_eq!(garbled, 0);
            let devices: std::collections::BTreeSet<u32> = lines.iter().map(|line| line.2).collect();
            prop_assert!(choose(&mounts, |_| false).len() <= devices.len());
        }
    }
}
