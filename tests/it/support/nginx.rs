//! One nginx for all tests, on free ports, with all its state in a folder that goes with it.

use std::path::Path;

use tokio::sync::OnceCell;

use super::certificates::authority;
use super::children::{Server, free_port, listening, require};

/// A running nginx. Its paths: `/ok` (text), `/json`, `/missing` (404), `/broken` (500), `/redirect` (to `/ok`),
/// `/circle`, `/endless/…` (always one further), `/private` (user `watcher`, password `canary`), `/large` (100 MB).
pub(crate) struct Nginx {
    pub(crate) http: u16,
    /// TLS, HTTP/2 and HTTP/1.1, a good certificate of [`authority`].
    pub(crate) https: u16,
    /// TLS 1.2 only, without HTTP/2.
    pub(crate) https_old: u16,
    _server: Server,
}

/// The nginx of this test process, started when first asked for.
pub(crate) async fn nginx() -> &'static Nginx {
    static NGINX: OnceCell<Nginx> = OnceCell::const_new();
    NGINX.get_or_init(start).await
}

async fn start() -> Nginx {
    require("nginx");
    let folder = tempfile::tempdir().expect("a folder").keep();
    let pair = authority().good();
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("a file of nginx");
    };
    write("certificate.pem", &pair.certificate);
    write("key.pem", &pair.key);
    write("passwords", "watcher:{PLAIN}canary\n");
    std::fs::File::create(folder.join("large"))
        .and_then(|file| file.set_len(100_000_000))
        .expect("a large file");
    let (http, https, https_old) = (free_port(), free_port(), free_port());
    write(
        "nginx.conf",
        &configuration(&folder, http, https, https_old),
    );
    let prefix = folder.display().to_string();
    let server = Server::start(&folder, "nginx", &["-p", &prefix, "-c", "nginx.conf"]);
    for port in [http, https, https_old] {
        listening(port, "nginx").await;
    }
    Nginx {
        http,
        https,
        https_old,
        _server: server,
    }
}

fn configuration(folder: &Path, http: u16, https: u16, https_old: u16) -> String {
    let folder = folder.display();
    let locations = r#"
        location = /ok { return 200 "all is well\n"; }
        location = /json { default_type application/json; return 200 '{"status": "ok", "load": 0.5}'; }
        location = /broken { return 500; }
        location = /redirect { return 302 /ok; }
        location = /circle { return 301 /circle2; }
        location = /circle2 { return 301 /circle; }
        location ~ ^/endless/(?<rest>x*)$ { return 302 /endless/x$rest; }
        location = /private { auth_basic "private"; auth_basic_user_file passwords; try_files /passwords =500; }
    "#;
    format!(
        r"
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    root {folder};
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http};
        {locations}
    }}
    server {{
        listen 127.0.0.1:{https} ssl http2;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        {locations}
    }}
    server {{
        listen 127.0.0.1:{https_old} ssl;
        ssl_protocols TLSv1.2;
        ssl_certificate certificate.pem;
        ssl_certificate_key key.pem;
        {locations}
    }}
}}
"
    )
}
