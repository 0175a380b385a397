//! Sessions and connections that collectors, the analysis and the reporters share, keyed by their settings.

pub mod aws;
pub mod docker;
pub mod http;
pub mod llm;
pub mod net;
pub mod postgres;
pub mod ssh;
pub mod telegram;
pub mod tls;
pub(crate) mod words;

use std::path::PathBuf;

/// What clients find around them. All of it is what the configuration and the environment say; nothing is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The home directory of the user we run as.
    pub home: Option<PathBuf>,
    /// The socket of the SSH agent: `SSH_AUTH_SOCK`.
    pub agent_socket: Option<PathBuf>,
    /// Where we keep what must outlast a restart.
    pub data_directory: PathBuf,
    /// The host keys that this system knows.
    pub system_known_hosts: PathBuf,
    /// The variables of AWS.
    pub aws: aws::AwsEnvironment,
}

impl Default for Surroundings {
    /// Nobody's home, no agent, data in the working directory.
    fn default() -> Self {
        Self {
            home: None,
            agent_socket: None,
            data_directory: PathBuf::from("data"),
            system_known_hosts: PathBuf::from("/etc/ssh/ssh_known_hosts"),
            aws: aws::AwsEnvironment::default(),
        }
    }
}

/// All clients. Making them does no I/O.
#[derive(Clone)]
pub struct Clients {
    /// Names and connections.
    pub network: net::Network,
    /// TLS set-ups.
    pub tls: tls::TlsConfigs,
    /// HTTP and HTTPS.
    pub http: http::HttpClients,
    /// Sessions with PostgreSQL.
    pub postgres: postgres::PostgresClients,
    /// Sessions over SSH.
    pub ssh: ssh::SshClients,
    /// Docker engines, over all of the above.
    pub docker: docker::DockerClients,
    /// Sessions with AWS.
    pub aws: aws::AwsClients,
    /// Language models, paid from the purse.
    pub llm: llm::LlmClients,
    /// Bots of Telegram, and what is known of their chats.
    pub telegram: telegram::TelegramClients,
}

impl Clients {
    /// Makes them all. Does no I/O.
    #[must_use]
    pub fn new() -> Self {
        Self::within(&Surroundings::default())
    }

    /// Makes them all for these surroundings. Does no I/O.
    #[must_use]
    pub fn within(surroundings: &Surroundings) -> Self {
        Self::over(net::Network::new(), surroundings)
    }

    /// Makes them all over a network of one's own. Does no I/O.
    #[must_use]
    pub fn over(network: net::Network, surroundings: &Surroundings) -> Self {
        let tls = tls::TlsConfigs::new();
        let ssh = ssh::SshClients::new(network.clone(), surroundings.clone());
        let http = http::HttpClients::new(network.clone(), tls.clone());
        let aws = aws::AwsClients::new(network.clone(), surroundings.aws.clone());
        Self {
            llm: llm::LlmClients::new(http.clone(), aws.clone()),
            http,
            aws,
            telegram: telegram::TelegramClients::new(network.clone(), tls.clone()),
            postgres: postgres::PostgresClients::new(network.clone(), tls.clone()),
            docker: docker::DockerClients::new(network.clone(), tls.clone(), ssh.clone()),
            ssh,
            network,
            tls,
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self::new()
    }
}
