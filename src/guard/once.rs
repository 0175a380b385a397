//! The same for a single round at a prompt: its looks are all there before anything is told.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;

use super::silences::{SUSPICIOUS, Silences, Word, end_of};
use super::state::turn;
use super::{Watched, lies_in_private};
use crate::clients::net::Network;
use crate::clients::net::own_network::{Standing, standing};
use crate::model::{Observation, Outage};

/// Asks once how our own network is, if the looks of a round raise the suspicion; then turns those that got no answer, and
/// gives the outage.
pub async fn turn_round(
    watched: &Watched,
    network: &Network,
    observations: &mut [Observation],
) -> Option<Outage> {
    let outside: Vec<(usize, Arc<str>, Word)> = (observations.iter().enumerate())
        .filter_map(|(index, one)| {
            let host = watched.host(&one.target)?;
            Some((index, Arc::clone(host), Word::of(one)))
        })
        .filter(|(_, _, word)| *word != Word::Nothing)
        .collect();
    let silent = outside.iter().filter(|(_, _, word)| *word == Word::Silent);
    let silent_hosts: HashSet<&Arc<str>> = silent.clone().map(|(_, host, _)| host).collect();
    if !watched.is_on || silent_hosts.len() < SUSPICIOUS {
        return None;
    }
    let hosts: HashSet<&Arc<str>> = outside.iter().map(|(_, host, _)| host).collect();
    let places = hosts
        .into_iter()
        .map(async |host| (host, lies_in_private(network, host).await));
    let places: HashMap<&Arc<str>, bool> = join_all(places).await.into_iter().collect();
    let lies_private = |host: &Arc<str>| places.get(host).copied().unwrap_or(false);

    let mut silences = Silences::default();
    for (index, host, _) in silent.clone() {
        silences.note_silence(host, lies_private(host), &observations[*index]);
    }
    // An answer takes the silence of its own host back, so that it comes behind.
    for (index, host, _) in outside
        .iter()
        .filter(|(_, _, word)| *word == Word::Answered)
    {
        silences.note_answer(host, lies_private(host), end_of(&observations[*index]));
    }
    let newest = observations.iter().map(end_of).max()?;
    let oldest = observations.iter().map(|one| one.at).min()?;
    let took = newest.signed_duration_since(oldest).to_std();
    silences.note_round(0, took.unwrap_or_default());
    let (count, since) = silences.counted(newest);
    if count < SUSPICIOUS {
        return None;
    }
    let Standing::Down(proofs) = standing(network, &watched.endpoints).await else {
        return None;
    };
    let outage = Outage {
        since: since.unwrap_or(oldest),
        until: None,
        proofs,
    };
    for (index, host, _) in silent {
        if !silences.is_disproved(observations[*index].at, lies_private(host)) {
            turn(&mut observations[*index], &outage);
        }
    }
    Some(outage)
}
