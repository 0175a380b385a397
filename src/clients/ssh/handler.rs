//! What we answer when the server asks or tells: its host key is judged, and whatever it would open towards us is
//! refused.

use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{ChannelOpenHandle, DisconnectReason, Handler, Msg, Session};
use russh::keys::PublicKeyOrCertificate;
use russh::keys::ssh_key::PublicKey;
use russh::{Channel, Error};

use super::host_keys::{Judgement, Lookup};

/// What the handler has learnt. Shared with the one who made it.
#[derive(Clone, Default)]
pub(super) struct Notes(Arc<Mutex<Noted>>);

/// See [`Notes`].
#[derive(Clone, Default)]
pub(super) struct Noted {
    /// The host key that the server showed, and what was thought of it.
    pub(super) host_key: Option<(PublicKey, Judgement)>,
    /// What the server said when it hung up.
    pub(super) farewell: Option<String>,
}

impl Notes {
    pub(super) fn get(&self) -> Noted {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Noted)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Judges a server's key by what is recorded.
pub(super) struct Guard {
    lookup: Arc<Lookup>,
    /// Whether a key that was never seen will do.
    accept_new: bool,
    notes: Notes,
}

impl Guard {
    pub(super) fn new(lookup: Arc<Lookup>, accept_new: bool) -> (Self, Notes) {
        let notes = Notes::default();
        let guard = Self {
            lookup,
            accept_new,
            notes: notes.clone(),
        };
        (guard, notes)
    }
}

impl Handler for Guard {
    type Error = Error;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Error> {
        let judgement = self.lookup.judge(shown);
        let accepted = match judgement {
            Judgement::Known => true,
            Judgement::New => self.accept_new,
            _ => false,
        };
        let key = shown.public_key();
        self.notes
            .change(|noted| noted.host_key = Some((key, judgement)));
        Ok(accepted)
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Error>) -> Result<(), Error> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.notes
                    .change(|noted| noted.farewell = Some(info.message));
                Ok(())
            }
            DisconnectReason::Error(error) => Err(error),
        }
    }

    // The library lets the server open channels unless it is told otherwise; a handle that is dropped refuses.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _: Channel<Msg>,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _: Channel<Msg>,
        _: &str,
        _: u32,
        _: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), Error> {
        Ok(())
    }
}
