//! A DNS server for tests: how it answers stands in the name that is asked for.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;

/// A DNS server inside the test; it ends when this is dropped. Names that begin with `good` have the address
/// 127.0.0.1, `empty` has none, `broken` is a server failure, `mute` gets no answer, others do not exist.
pub(crate) struct DnsServer {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts a DNS server.
pub(crate) async fn start() -> DnsServer {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a socket");
    let address = socket.local_addr().expect("an address");
    let task = tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            if let Some(answer) = answer(&packet[..length]) {
                socket.send_to(&answer, from).await.ok();
            }
        }
    });
    DnsServer { address, task }
}

/// The answer to a question (RFC 1035 §4.1).
fn answer(query: &[u8]) -> Option<Vec<u8>> {
    let first_label = query.get(13..13 + usize::from(*query.get(12)?))?;
    let name_end = 12 + query[12..].iter().position(|byte| *byte == 0)? + 1;
    let question = query.get(12..name_end + 4)?;
    let wants_v4 = query[name_end..name_end + 2] == [0, 1];
    let (code, addresses) = match first_label {
        name if name.starts_with(b"mute") => return None,
        name if name.starts_with(b"good") => (0, u8::from(wants_v4)),
        name if name.starts_with(b"empty") => (0, 0),
        name if name.starts_with(b"broken") => (2, 0),
        _ => (3, 0),
    };
    let mut packet = Vec::from(&query[..2]);
    packet.extend([0x81, 0x80 | code, 0, 1, 0, addresses, 0, 0, 0, 0]);
    packet.extend(question);
    if addresses == 1 {
        // The name (a pointer to the question), A, IN, 300 s, 4 bytes.
        packet.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 127, 0, 0, 1]);
    }
    Some(packet)
}
