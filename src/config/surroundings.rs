use std::path::{Path, PathBuf};

use super::Environment;
use crate::clients::Surroundings;
use crate::clients::aws::AwsEnvironment;

/// What we find around us: by the environment, the configuration's file and `store.path`.
///
/// What must outlast a restart lies in `store.path`, else in `$STATE_DIRECTORY`, else in `data/` beside the
/// configuration file, else in the user's state folder.
pub(super) fn find(
    environment: &Environment,
    store_path: Option<&str>,
    main_file: Option<&Path>,
) -> Surroundings {
    let path_in = |name: &str| {
        let value = environment.get(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let home = path_in("HOME");
    // systemd separates several by colons; the first is ours (systemd.exec(5), StateDirectory=).
    let by_systemd = || {
        let all = environment.get("STATE_DIRECTORY")?;
        all.split(':')
            .find(|one| !one.is_empty())
            .map(PathBuf::from)
    };
    let beside_file = || Some(main_file?.parent()?.join("data"));
    let of_user = || {
        let state = path_in("XDG_STATE_HOME");
        let state = state.or_else(|| Some(home.as_ref()?.join(".local/state")))?;
        Some(state.join("roundsman"))
    };
    let data_directory = (store_path.map(PathBuf::from))
        .or_else(by_systemd)
        .or_else(beside_file)
        .or_else(of_user)
        .unwrap_or_else(|| PathBuf::from("data"));
    Surroundings {
        agent_socket: path_in("SSH_AUTH_SOCK"),
        data_directory,
        home,
        aws: AwsEnvironment::of(
            (environment.names()).filter_map(|name| Some((name, environment.get(name)?))),
        ),
        ..Surroundings::default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_must_last_lies_where_people_look_for_it() {
        let file = Path::new("/etc/roundsman/config.yaml");
        let all = [
            ("STATE_DIRECTORY", "/var/lib/roundsman:/var/lib/other"),
            ("XDG_STATE_HOME", "/home/me/state"),
            ("HOME", "/home/me"),
        ];
        for (store, file, variables, expected) in [
            (Some("/srv/store"), Some(file), &all[..], "/srv/store"),
            (None, Some(file), &all[..], "/var/lib/roundsman"),
            (None, Some(file), &all[1..], "/etc/roundsman/data"),
            (None, None, &all[1..], "/home/me/state/roundsman"),
            (None, None, &all[2..], "/home/me/.local/state/roundsman"),
            (None, None, &[], "data"),
        ] {
            let variables: BTreeMap<String, String> = (variables.iter())
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let environment =
                Environment::from_parts(variables, Path::new("/nowhere"), &mut Vec::new());
            let found = find(&environment, store, file);
            assert_eq!(found.data_directory, Path::new(expected));
        }
    }
}
