//! Secrets as they stand in what is collected. Each is gone, and what stands around it stays as it is.

use super::Redactor;

/// Text with its secrets as `‹what|secret›`. A `¦` is taken out first: without it, those who search repositories for
/// keys would find these.
#[rustfmt::skip]
const CANARIES: &[&str] = &[
    // By their own shape.
    "botocore: the AWS Access Key Id ‹AWS access key|AK¦IAIOSFODNN7EXAMPLE› is not valid",
    "key=‹AWS access key|AS¦IAY34FZKBOKMUTVV7A›, region=eu-west-1",
    "?X-Amz-Credential=‹AWS access key|AK¦IAIOSFODNN7EXAMPLE›%2F20261129%2Feu-west-1%2Fs3%2Faws4_request",
    "web,‹AWS access key|AK¦IAIOSFODNN7EXAMPLE›,‹AWS secret key|wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›",
    "Credentials(‹AWS access key|AK¦IAIOSFODNN7EXAMPLE›:‹AWS secret key|wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›)",
    "using session ‹AWS session token|IQoJ¦b3JpZ2luX2VjEOb//////////wEaCXVzLWVhc3QtMSJHMEUCIQDc1234567890abcdef›",
    "bedrock: ‹AWS Bedrock key|AB¦SKQmVkcm9ja0FQSUtleS0xMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI›",
    "remote: https://x-access-token:‹GitHub token|gh¦p_16C7e42F292c6912E7710c838347Ae178B4a›@github.com/acme/shop.git",
    "Bad credentials for ‹GitHub token|gho¦_16C7e42F292c6912E7710c838347Ae178B4a›",
    "installation token ‹GitHub token|ghs¦_16C7e42F292c6912E7710c838347Ae178B4a› expires in 1h",
    "GH: ‹GitHub token|github_¦pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0›.",
    "HTTP Basic: Access denied (‹GitLab token|gl¦pat-x7Zk3mPq9Rt5Vw2Yb8Nc›)",
    "runner ‹GitLab token|gl¦rt-t1_x7Zk3mPq9Rt5Vw2Yb8Nc› was paused",
    "slack: invalid_auth for ‹Slack token|xo¦xb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy›",
    "app-level ‹Slack token|xa¦pp-1-A0123456789-1234567890123-abcdef0123456789› refused",
    "POST https://hooks.slack.com/‹webhook|serv¦ices/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX› 404",
    "POST https://discord.com/api/webhooks/‹webhook|1234567890123¦45678/aBcDeFgHiJkLmNoPqRsTuVwXyZ-0123456789› 401",
    "https://acme.webhook.office.com/webhookb2/‹webhook|0a1b2c3d-¦0000-1111-2222-333344445555@0a1b2c3d/IncomingWebhook/abc123›",
    "GET https://api.telegram.org/bot‹Telegram token|1234567890:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0›/getMe: 404",
    "bot ‹Telegram token|1234567890:AA¦HdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0› is blocked",
    "Incorrect API key provided: ‹OpenAI key|sk-¦proj-a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6›. You can find yours",
    "legacy ‹API key|sk-¦a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4› rejected",
    "anthropic: ‹Anthropic key|sk-¦ant-api03-a1B2c3D4-e5F6g7H8_i9J0k1L2m3N4o5P6-AA› has no credit",
    "openrouter ‹OpenRouter key|sk-¦or-v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef›",
    "langfuse: pk-lf-11112222 and ‹Langfuse key|sk-¦lf-1234abcd-12ab-34cd-56ef-1234567890ab›",
    "langsmith ‹LangSmith key|lsv2_¦pt_0123456789abcdef0123456789abcdef_0123456789› over quota",
    "groq: ‹Groq key|gs¦k_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6›",
    "downloading with ‹Hugging Face token|hf¦_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgHi› failed",
    "r8: ‹Replicate token|r8¦_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s›",
    "maps: ‹Google key|AI¦zaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q› is not authorized",
    "oauth2: ‹Google token|ya¦29.a0AfH6SMBx1234567890abcdefghijklmnopqrstuvwxyz› expired",
    "client ‹Google secret|GOC¦SPX-a1B2c3D4e5F6g7H8i9J0k1L2m3N4› mismatch",
    "No such customer (‹Stripe key|sk¦_live_4eC39HqLyjWDarjtT1zdp7dc›)",
    "stripe ‹Stripe key|rk¦_test_4eC39HqLyjWDarjtT1zdp7dc› lacks a permission",
    "constructing the event with ‹webhook secret|wh¦sec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw› failed",
    "SendGrid 401 ‹SendGrid key|S¦G.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf-09kqeF8tAmbihYzrnopKc-1s5cr›",
    "mailgun ‹Mailgun key|key¦-3ax6xnjp29jd6fds4gc373sgvjxteol0›"
    ,
    "brevo ‹Brevo key|xkey¦sib-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-a1B2c3D4e5F6g7H8›",
    "npm ERR! 401 ‹npm token|np¦m_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8›",
    "twine: ‹PyPI token|py¦pi-AgEIcHlwaS5vcmcCJDEyMzQ1Njc4LTEyMzQtMTIzNC0xMjM0LTEyMzQ1Njc4OTBhYg› is invalid",
    "cargo publish: ‹crates.io token|ci¦oa1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6›",
    "docker: ‹Docker token|dc¦kr_pat_a1B2c3D4e5F6g7H8i9J0k1L2m3N›",
    "doctl ‹DigitalOcean token|do¦p_v1_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef›",
    "vault: permission denied for ‹Vault token|hv¦s.CAESIJ0123456789abcdefGhIjKlMnOpQrStUvWxYz›",
    "tailscale up ‹Tailscale key|ts¦key-auth-k1234567CNTRL-a1B2c3D4e5F6g7H8i9J0›",
    "grafana: ‹Grafana token|gl¦sa_HOruNAb7SOiCdshU7algkrq7fdsNSLAa_55e2f8be› has no role",
    "newrelic ‹New Relic key|NR¦AK-A1B2C3D4E5F6G7H8I9J0K1L2M3N›",
    "dynatrace ‹Dynatrace token|dt0¦c01.ST2EY72KQINMH574WMNVI7YN.G3DFPBEJYMODIDAEX454M7YWBUVEFOWKPRVMWFASS64NFH52PX6BNDVFFM572RZM›",
    "databricks ‹Databricks token|da¦pi0123456789abcdef0123456789abcdef› revoked",
    "shopify ‹Shopify token|sh¦pat_0123456789abcdef0123456789abcdef›",
    "supabase ‹Supabase key|sb¦p_0123456789abcdef0123456789abcdef01234567›",
    "doppler ‹Doppler token|dp¦.pt.a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V›",
    "age: ‹age key|AGE¦-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQS3290G›",
    "AADSTS7000215: invalid ‹Azure secret|abc8¦Q~a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6.r› provided",
    "jwt malformed: ‹JWT|ey¦JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c›, retrying",
    "kubelet: ‹JWT|ey¦JhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJpc3MiOiJrdWJlcm5ldGVzIn0.abc-DEF_ghi› is expired",
    "shadow: root:‹hash of a password|$6¦$rounds=5000$saltsalt$a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0u1V2w3X4y5Z6›",
    "row (7, 'ann', '‹hash of a password|$2b¦$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW›') violates",
    "rolpassword ‹hash of a password|SCRAM-SHA-256¦$4096:c2FsdHNhbHQ=$c3RvcmVka2V5c3RvcmVka2V5:c2VydmVya2V5c2VydmVya2V5›",
    "a container named worker-‹GitHub token|gh¦p_16C7e42F292c6912E7710c838347Ae178B4a› died",
    // In addresses.
    "connect to postgres://app:‹password|hunter2›@db.internal:5432/shop failed",
    "postgresql://app:‹password|p@ss@word›@db/shop",
    "postgresql://app:‹password|p%40ss%2Fword%25›@db/shop?sslmode=require",
    "postgresql://app:‹password|p/a#s?s›@db/shop",
    "redis://:‹password|s3cr3t›@cache:6379/0: NOAUTH",
    "rediss://default:‹password|AVNS_abc›@cache.example.com:25061",
    "mongodb://root:‹password|ex;am,ple›@m1:27017,m2:27017,m3:27017/?replicaSet=rs0",
    "mongodb+srv://root:‹password|example›@cluster0.abcde.mongodb.net/test",
    "amqp://guest:‹password|guest1›@rabbit:5672/%2f is unreachable",
    "https://ann:‹password|hunter2›@example.com/a/b",
    "ftp://ann:‹password|hunter2›@[2001:db8::1]:21/",
    "git clone https://‹token|0123456789abcdef0123456789abcdef01234567›@git.example.com/a.git",
    "sentry: https://‹token|0123456789abcdef0123456789abcdef›@o1.ingest.sentry.io/42",
    "http_proxy=http://proxy:‹password|pr0xy›@10.0.0.1:3128",
    "dial app:‹password|hunter2›@tcp(10.0.0.5:3306)/shop: connection refused",
    "jdbc:mysql://db:3306/shop?user=app&password=‹password|hunter2›&useSSL=false",
    "jdbc:oracle: jdbc:postgresql://db/shop?user=app&password=‹password|hunter2›",
    "GET /login?token=‹token|abcdef123456›&next=/ 302",
    "GET /cb?code=‹token|4/0AX4XfWh1abcdefGHIJ›&state=x 200",
    "GET /maps?key=‹key|0123456789abcdef0123›&q=x",
    "https://shop.blob.core.windows.net/c/b?sv=2022-11-02&ss=b&sig=‹signature|a1B2c3D4%2Be5F6%3D›&se=2026",
    "https://b.s3.amazonaws.com/k?X-Amz-Expires=60&X-Amz-Signature=‹signature|0123456789abcdef0123456789abcdef›&x=1",
    "https://b.s3.amazonaws.com/k?X-Amz-Security-Token=‹token|FQoDYXdzEPP%2F123456›&X-Amz-Date=20261129",
    "https://storage.googleapis.com/b/k?X-Goog-Signature=‹signature|0123456789abcdef› 403",
    "redirect_uri=https%3A%2F%2Fa%2Fb%3Ftoken%3D‹token|abcdef123456›%26x%3D1",
    "?a=1&amp;access_token=‹token|abcdef123456›&amp;b=2",
    // Pairs.
    "host=db user=app password=‹password|hunter2› dbname=shop sslmode=require",
    "host=db password='‹password|hunter 2 it\\'s›' user=app",
    "Server=db;Database=shop;User Id=sa;Password=‹password|My Pass Word›;Encrypt=true",
    "Server=db;Uid=app;Pwd=‹password|hunter2›;",
    "Data Source=db;Password=\"‹password|a;b c›\";User ID=sa",
    "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=‹key|a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6==›;EndpointSuffix=core.windows.net",
    "Endpoint=sb://shop.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey=‹key|a1B2c3D4e5F6g7H8i9J0=›",
    "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=https://x",
    "DB_PASSWORD=‹password|hunter2›",
    "env: PATH=/bin MYSQL_ROOT_PASSWORD=‹password|hunter2› TZ=UTC",
    "PGPASSWORD=‹password|hunter2› psql -h db -U app",
    "export AWS_SECRET_ACCESS_KEY=‹key|wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›",
    "aws_secret_access_key = ‹key|wJalr¦XUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY›",
    "SECRET_KEY_BASE=‹key|0123456789abcdef0123456789abcdef›",
    "\"Env\":[\"DB_PASSWORD=‹password|two words›\",\"TZ=UTC\"]",
    "DD_API_KEY=‹key|0123456789abcdef0123456789abcdef› DD_SITE=datadoghq.eu",
    "DD_APP_KEY='‹key|0123456789abcdef0123456789abcdef01234567›'",
    "DATABASE_URL=postgres://app:‹password|hunter2›@db/shop",
    "settings: {\"api_key\": \"‹key|abc123def456›\", \"region\": \"eu\"}",
    "{\"password\":\"‹password|hunter2›\",\"user\":\"ann\"}",
    "{\"password\": \"‹password|qu\\\"ote›\", \"user\": \"ann\"}",
    "body: \"{\\\"client_secret\\\":\\\"‹secret|abcdef123456›\\\",\\\"id\\\":1}\"",
    "{'passwd': '‹password|hunter2›', 'port': 5432}",
    "{\"auth\": \"‹credentials|YW5uOmh1bnRlcjI1Njc4›\"}",
    "{\"refreshToken\":\"‹token|abcdef123456›\",\"expiresIn\":3600}",
    "{\"name\": \"DB_PASSWORD\", \"value\": \"‹password|hunter2›\"}",
    "- name: DB_PASSWORD\n  value: ‹password|hunter2›\n- name: TZ",
    "<add key=\"ApiKey\" value=\"‹key|abc123def456›\" />",
    "<password>‹password|hunter2›</password><user>ann</user>",
    "password: ‹password|hunter2›\nuser: ann",
    "  smtp_pass: \"‹password|hunter2›\" # of the relay",
    "client_secret: ‹secret|abc-123-def›",
    "passphrase: ‹password|correct horse battery staple›\nnext: 1",
    "password: |\n  ‹password|hunter2›\nuser: ann",
    "login failed with password: ‹password|hunter2›, giving up",
    "Config{user=ann, password=‹password|hunter2›, host=db}",
    "Config { user: \"ann\", password: Some(\"‹password|hunter2›\"), port: 1 }",
    "{User:ann Password:‹password|hunter2› Host:db}",
    "spring.datasource.password=‹password|hunter2›",
    "-Djavax.net.ssl.keyStorePassword=‹password|changeit› -jar a.jar",
    "//registry.npmjs.org/:_authToken=‹token|0123456789abcdef›",
    "config[\"password\"] = \"‹password|hunter2›\"",
    "machine git.example.com login ann password ‹password|hunter2›",
    "requirepass ‹password|hunter2›",
    "ALTER USER app WITH PASSWORD '‹password|hunter2›' VALID UNTIL 'infinity'",
    "CREATE USER 'app'@'%' IDENTIFIED BY '‹password|hunter2›' REQUIRE SSL",
    "JSESSIONID=‹cookie|0123456789ABCDEF0123456789ABCDEF›; path",
    "password=‹password|pässwört-中文› user=ann",
    "密码 password=‹password|hunter2›，用户",
    "PASSWORD='‹password|it''s›' x",
    "x_api_key=‹key|abcdef123456›,y=1",
    "MYSQL_PWD=‹password|hunter2› mysqldump shop",
    "otp=‹password|123456› accepted",
    "set CLIENT_SECRET=‹secret|abcdef123456›",
    "password -> ‹password|hunter2›",
    "<ns:apiKey>‹key|abc123def456›</ns:apiKey>",
    "Your temporary password is ‹password|a1B2c3D4›, change it",
    "[Note] A temporary password is generated for root@localhost: ‹password|a1B2c3;D4›",
    "invalid token ‹token|a1B2c3D4e5F6g7H8› was sent",
    "SET PASSWORD FOR 'app'@'%' = PASSWORD('‹password|hunter2›')",
    "set -x PGPASSWORD ‹password|hunter2›",
    "bindpw ‹password|hunter2›",
    "userlist: \"app\" \"‹hash of a password|md5a3556571e93b0d20722ba62be61e8c2d›\"",
    "q=%7B%22password%22%3A%22‹password|hunter2›%22%7D",
    "password：‹password|hunter2›",
    "Passwort: ‹password|hunter2›",
    "mot de passe : ‹password|hunter2›",
    "пароль: ‹password|hunter2›",
    "密码：‹password|hunter2›",
    "kubectl create secret generic db --from-literal=password=‹password|hunter2›",
    "terraform apply -var db_password=‹password|hunter2› -auto-approve",
    "sessionid=‹cookie|a1B2c3D4e5F6g7H8›; csrftoken=‹token|a1B2c3D4e5F6g7H8›",
    // Headers.
    "Authorization: Api-Key ‹credentials|abc123def456› was refused",
    "{\"authorization\":[\"Bearer ‹token|abcdef123456›\"],\"accept\":[\"*/*\"]}",
    "> Authorization: Bearer ‹token|abcdef123456›\r\n> Accept: */*",
    "Authorization: Basic ‹credentials|YW5uOmh1bnRlcjI=› was refused",
    "'Authorization': 'Bearer ‹token|abcdef123456›', 'Accept': '*/*'",
    "map[Accept:[*/*] Authorization:[Bearer ‹token|abcdef123456›] Host:[a]]",
    "{\"authorization\":\"Token ‹token|abcdef123456›\",\"host\":\"a\"}",
    "Authorization: ‹credentials|abcdef123456›",
    "Proxy-Authorization: Basic ‹credentials|YW5uOmh1bnRlcjI=›",
    "Authorization: AWS4-HMAC-SHA256 ‹credentials|Credential=AK¦IAIOSFODNN7EXAMPLE/20261129/eu/s3/aws4_request, Signature=0123abcd›\nHost: a",
    "Authorization: Digest ‹credentials|username=\"ann\", response=\"0123456789abcdef\"›\nHost: a",
    "curl -H 'Authorization: Bearer ‹token|abcdef123456›' https://a/b",
    "curl -H \"X-Api-Key: ‹key|abcdef123456›\" https://a/b",
    "X-Api-Key: ‹key|abcdef123456›\nHost: a",
    "PRIVATE-TOKEN: ‹token|abcdef123456›",
    "X-Vault-Token: ‹token|abcdef123456›",
    "x-amz-security-token:‹token|FQoDYXdzEPP1234567890›",
    "DD-APPLICATION-KEY: ‹key|0123456789abcdef0123456789abcdef01234567›",
    "Cookie: ‹cookie|sid=abc; theme=dark›\r\nHost: a",
    "Set-Cookie: ‹cookie|sid=abc123; Path=/; HttpOnly›\nHost: a",
    "{\"Cookie\":\"‹cookie|sid=abc; theme=dark›\",\"Host\":\"a\"}",
    "curl -H 'Cookie: ‹cookie|sid=abc; theme=dark›' https://a",
    "sent Bearer ‹token|abcdef123456› to a",
    "sent Basic ‹credentials|YW5uOmh1bnRlcjI=› to a",
    // Command lines.
    "backup --user ann --password ‹password|hunter2› --host db",
    "backup --password=‹password|hunter2› --host db",
    "backup --password \"‹password|two words›\" --host db",
    "[\"backup\",\"--token\",\"‹token|abcdef123456›\",\"--host\",\"db\"]",
    "agent --api-key ‹key|abcdef123456› run",
    "mysql -uroot -p‹password|hunter2› shop",
    "mysqldump -h db -u root -p‹password|hunter2› --all-databases",
    "mysql -u root -p'‹password|two words›' shop",
    "[\"mysqladmin\",\"-uroot\",\"-p‹password|hunter2›\",\"ping\"]",
    "sh -c 'mysqladmin ping -p‹password|hunter2›' failed",
    "sshpass -p ‹password|hunter2› ssh ann@host",
    "sshpass -p'‹password|hunter2›' ssh ann@host",
    "redis-cli -h cache -a ‹password|hunter2› ping",
    "mongosh -u root -p ‹password|hunter2› --eval 1",
    "curl -u ann:‹password|hunter2› https://a/b",
    "curl --user 'ann:‹password|two words›' https://a/b",
    "curl -sS -uann:‹password|hunter2› https://a/b",
    "docker login -u ann -p ‹password|hunter2› registry.example.com",
    "openssl rsa -passin pass:‹password|hunter2› -in a.pem",
    "smbclient //a/b -U ann%‹password|hunter2›",
    "skopeo inspect --creds ann:‹password|hunter2› docker://a/b",
    "helm install --set auth.rootPassword=‹password|hunter2› a",
    "sqlcmd -S db -U sa -P ‹password|hunter2› -Q 'select 1'",
    // Private keys.
    "read: ‹private key|-----BEGIN RSA PRIVATE¦ KEY-----\nMIIEowIBAAKCAQEA7\nabc\n-----END RSA PRIVATE KEY-----›\nnext",
    "‹private key|-----BEGIN OPENSSH PRIVATE¦ KEY-----\nb3BlbnNzaC1r\n-----END OPENSSH PRIVATE KEY-----›",
    "‹private key|-----BEGIN PGP PRIVATE¦ KEY BLOCK-----\n\nlQOYBF\n-----END PGP PRIVATE KEY BLOCK-----› ok",
    "{\"key\":\"‹private key|-----BEGIN PRIVATE¦ KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----›\\n\"}",
    "cut: ‹private key|-----BEGIN EC PRIVATE¦ KEY-----\nMHcCAQEEIIG›",
    "cut: ‹private key|-----BEGIN PRIVA›",
    "…‹private key|MHcCAQEEIIGabcdefghijklmnopqrstuvwxyz0123\nabcd=\n-----END EC PRIVATE¦ KEY-----› then",
    "client-key-data: ‹private key|LS0tLS1CRUdJTiBSU0EgUFJJ¦VkFURSBLRVktLS0tLQpNSUlFb3dJQkFBS0NBUUVB›",
    "Private-Lines: 2\n‹private key|AAAAgQC1\nAAAA›\nPrivate-MAC: 01",
    // Cut in the middle: the beginning tells.
    "remote: ‹GitHub token|gh¦p_16C7e42F›…",
    "key ‹AWS access key|AK¦IAIOSFODNN7›",
    "token ‹JWT|ey¦JhbGciOiJIUzI1NiIsInR5›...",
    "postgres://app:‹password|hunt›",
    "password=‹password|hun›…",
    "{\"password\":\"‹password|hunter›",
    "Authorization: Bearer ‹token|abc›",
    "Authorization: Basic ‹credentials|YW5uOmh1›…",
    "hooks ‹Slack token|xo¦xb-17653›…",
    "bot‹Telegram token|1234567890:AA¦HdqTcvCH1›...",
    "api_key: \"‹key|abc12›",
];

fn told(row: &str) -> (String, String, Vec<String>) {
    let row = row.replace('¦', "");
    let (mut text, mut expected, mut secrets) = (String::new(), String::new(), Vec::new());
    for part in row.split('‹') {
        let Some((inside, behind)) = part.split_once('›') else {
            text.push_str(part);
            expected.push_str(part);
            continue;
        };
        let (what, secret) = inside.split_once('|').expect("what it is, and the secret");
        text.push_str(secret);
        text.push_str(behind);
        expected.push_str(&format!("[redacted: {what}]{behind}"));
        secrets.push(secret.to_owned());
    }
    (text, expected, secrets)
}

#[test]
fn a_secret_is_gone_and_what_stands_around_it_stays() {
    let redactor = Redactor::default();
    let mut wrong = Vec::new();
    let mut count = 0;
    for row in CANARIES {
        let (text, expected, secrets) = told(row);
        count += secrets.len();
        let redacted = redactor.redact(&text);
        if redacted != expected {
            wrong.push(format!(
                "{text}\n  expected {expected}\n  found    {redacted}"
            ));
        }
        let again = redactor.redact(&redacted);
        if again != redacted {
            wrong.push(format!("{redacted}\n  became, the second time, {again}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 190, "{count}");
}
