//! A real Apache Kafka cluster of two nodes (KRaft, no ZooKeeper) on loopback, started by the test that needs it. Each node
//! also listens for clients that log in.
//!
//! The jars are resolved by Maven into the target directory, once. The nodes hang on pipes: when this process ends, in
//! whatever way, they are killed. What is missing is an error that says what to install, never a skipped test.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use futures_executor::block_on;
use rdkafka::{
    ClientConfig,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    metadata::MetadataPartition,
};

/// How long a node may take to start on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Who may log in where the cluster asks for it (SASL PLAIN).
pub(crate) const SASL_USER: &str = "mfn";
pub(crate) const SASL_PASSWORD: &str = "canary-sasl-password";

/// What its key store is locked with.
const STORE_PASSWORD: &str = "only-of-this-test";

/// Directories of clusters, before the number of their process.
const RUN_PREFIX: &str = "kafka-run-";

/// A running cluster.
#[derive(Debug)]
pub(crate) struct Cluster {
    directory: PathBuf,
    jars: PathBuf,
    nodes: [Option<Node>; 2],
    ports: [u16; 2],
    sasl_ports: [u16; 2],
    /// Where clients log in by SCRAM over TLS, in a cluster that was started so.
    tls_ports: Option<[u16; 2]>,
    controller: u16,
}

/// A running node. It is killed when this is dropped.
#[derive(Debug)]
struct Node(Child);

impl Node {
    /// Kills it with SIGKILL; whether it died of that, as the shell says that waited for it.
    fn kill(&mut self) -> bool {
        // The end of its input is the shell's signal to kill the broker.
        drop(self.0.stdin.take());
        self.0.wait().is_ok_and(|status| status.code() == Some(128 + 9))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The cluster of this test program, for any number of tests at a time that leave its nodes alone.
pub(crate) fn shared() -> RwLockReadGuard<'static, Cluster> {
    // A test that failed has left topics behind, no more.
    cluster().read().unwrap_or_else(PoisonError::into_inner)
}

/// The cluster for one test, which may kill its nodes; all others wait, and find it whole again.
pub(crate) fn exclusive() -> Exclusive {
    Exclusive(cluster().write().unwrap_or_else(PoisonError::into_inner))
}

fn cluster() -> &'static RwLock<Cluster> {
    static CLUSTER: OnceLock<RwLock<Cluster>> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let name = format!("{RUN_PREFIX}{}", std::process::id());
        remove_left_behind();
        RwLock::new(Cluster::start(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)))
    })
}

/// The only user of the cluster. At its end what was killed is started again.
pub(crate) struct Exclusive(RwLockWriteGuard<'static, Cluster>);

impl std::ops::Deref for Exclusive {
    type Target = Cluster;
    fn deref(&self) -> &Cluster {
        &self.0
    }
}

impl std::ops::DerefMut for Exclusive {
    fn deref_mut(&mut self) -> &mut Cluster {
        &mut self.0
    }
}

impl Drop for Exclusive {
    fn drop(&mut self) {
        self.0.ensure_up();
    }
}

impl Cluster {
    /// Starts both nodes with empty logs in `directory`.
    ///
    /// # Panics
    /// When Java, Maven or the jars can not be had; the text says what to do.
    pub(crate) fn start(directory: PathBuf) -> Self {
        Self::start_with(directory, false)
    }

    /// The same; `tls`: it also listens for clients that log in by SCRAM over TLS, and has a certificate of its own.
    pub(crate) fn start_with(directory: PathBuf, tls: bool) -> Self {
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("space for a broker");
        let jars = jars();
        let [first, second, third, fourth, fifth, sixth, controller] = free_ports();
        let (ports, sasl_ports) = ([first, second], [third, fourth]);
        let tls_ports = tls.then_some([fifth, sixth]);
        let mut cluster =
            Self { directory, jars, nodes: [None, None], ports, sasl_ports, tls_ports, controller };
        if tls {
            cluster.certify();
        }
        // Both at the same time: most of it is the start of Java.
        let formats = [1, 2].map(|node| cluster.configure(node));
        for format in formats {
            let output = format.wait_with_output().expect("java runs");
            assert!(output.status.success(), "format: {}", String::from_utf8_lossy(&output.stderr));
        }
        cluster.ensure_up();
        cluster
    }

    /// Addresses of the brokers.
    pub(crate) fn brokers(&self) -> Vec<String> {
        self.ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// Addresses of the brokers for clients that log in.
    pub(crate) fn sasl_brokers(&self) -> Vec<String> {
        self.sasl_ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// Addresses of the brokers for clients that log in by SCRAM over TLS.
    pub(crate) fn tls_brokers(&self) -> Vec<String> {
        let ports = self.tls_ports.expect("a cluster with TLS");
        ports.iter().map(|port| format!("127.0.0.1:{port}")).collect()
    }

    /// The certificate that clients have to trust, as PEM.
    pub(crate) fn certificate(&self) -> PathBuf {
        self.directory.join("broker.pem")
    }

    /// Makes the brokers' key and certificate.
    fn certify(&self) {
        let store = self.directory.join("broker.p12");
        let keytool = |arguments: &[&str]| {
            let mut keytool = Command::new("keytool");
            keytool.args(arguments).args(["-alias", "broker", "-storepass", STORE_PASSWORD, "-keystore"]);
            let output = keytool.arg(&store).output().expect("keytool, which comes with Java, runs");
            assert!(output.status.success(), "keytool: {}", String::from_utf8_lossy(&output.stdout));
        };
        let key = ["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "30"];
        let name = ["-storetype", "PKCS12", "-dname", "CN=127.0.0.1", "-ext", "SAN=IP:127.0.0.1"];
        keytool(&[&key[..], &name[..]].concat());
        let pem = self.certificate();
        keytool(&["-exportcert", "-rfc", "-file", pem.to_str().expect("a path in UTF-8")]);
    }

    /// What a node's configuration has besides for TLS: names of listeners, further lines.
    fn tls_configuration(&self, node: usize) -> [String; 3] {
        let Some(ports) = self.tls_ports else { return [const { String::new() }; 3] };
        let port = ports[node - 1];
        let store = self.directory.join("broker.p12");
        let lines = format!(
            "ssl.keystore.type=PKCS12\nssl.keystore.location={}\nssl.keystore.password={STORE_PASSWORD}\n\
             listener.name.sasl_ssl.sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n",
            store.display()
        );
        [format!(",SASL_SSL://127.0.0.1:{port}"), ",SASL_SSL:SASL_SSL".to_owned(), lines]
    }

    /// Kills a node, 1 or 2, as `kill -9` does. Node 1 is the controller as well. Gives the number of brokers that died of
    /// it: 1.
    pub(crate) fn kill(&mut self, node: usize) -> u64 {
        let died = self.nodes[node - 1].take().is_some_and(|mut node| node.kill());
        assert!(died, "node {node} was not running");
        assert!(TcpStream::connect(("127.0.0.1", self.ports[node - 1])).is_err(), "node {node} lives on");
        u64::from(died)
    }

    /// Starts what is not running, and waits until it takes connections.
    pub(crate) fn ensure_up(&mut self) {
        for node in [1, 2] {
            if self.nodes[node - 1].is_none() {
                self.nodes[node - 1] = Some(self.launch(node));
            }
        }
        for port in self.ports {
            let end = Instant::now() + START_TIMEOUT;
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let log = self.directory.join("node-1.log");
                assert!(Instant::now() < end, "the broker did not start; see {}", log.display());
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Makes a topic, on both nodes, and waits until it can be used.
    pub(crate) fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
            .set("bootstrap.servers", self.brokers().join(","))
            .create()
            .expect("a client");
        let mut topic = NewTopic::new(name, partitions, TopicReplication::Fixed(2));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let partitions_wanted = usize::try_from(partitions).expect("a number of partitions");
        let options = AdminOptions::new().operation_timeout(Some(START_TIMEOUT));
        let end = Instant::now() + START_TIMEOUT;
        // A node that has just started is not registered with the controller yet.
        while let Some(Err((_, error))) =
            block_on(admin.create_topics([&topic], &options)).expect("an answer").pop()
        {
            assert!(Instant::now() < end, "topic {name}: {error}");
            std::thread::sleep(Duration::from_millis(100));
        }
        // Both nodes have to know it: a client that asks the other one first takes the topic to be missing.
        for broker in self.brokers() {
            let client: BaseConsumer =
                ClientConfig::new().set("bootstrap.servers", broker).create().expect("a client");
            let is_led = |partitions: &[MetadataPartition]| {
                partitions.len() == partitions_wanted && partitions.iter().all(|one| one.leader() > 0)
            };
            loop {
                let metadata = client.fetch_metadata(Some(name), START_TIMEOUT).expect("an answer");
                if metadata.topics().first().is_some_and(|topic| is_led(topic.partitions())) {
                    break;
                }
                assert!(Instant::now() < end, "topic {name} has no leaders");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Writes a node's configuration, and begins to format its storage.
    fn configure(&self, node: usize) -> Child {
        let (id, port, controller) = (node, self.ports[node - 1], self.controller);
        let sasl = self.sasl_ports[node - 1];
        let is_controller = node == 1;
        let roles = if is_controller { "broker,controller" } else { "broker" };
        let listener =
            if is_controller { format!(",CONTROLLER://127.0.0.1:{controller}") } else { String::new() };
        let data = self.directory.join(format!("data-{node}"));
        let [tls_listener, tls_protocol, tls_lines] = self.tls_configuration(node);
        // Small internal topics and short sessions: what is tested is the protocol, not patience.
        let text = format!(
            "process.roles={roles}\nnode.id={id}\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\ncontroller.listener.names=CONTROLLER\n\
             listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl}{tls_listener}{listener}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl}{tls_listener}\n\
             listener.security.protocol.map=\
             CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT{tls_protocol}\n{tls_lines}\
             sasl.enabled.mechanisms=PLAIN\nlistener.name.sasl_plaintext.plain.sasl.jaas.config=\
             org.apache.kafka.common.security.plain.PlainLoginModule required \
             user_{SASL_USER}=\"{SASL_PASSWORD}\";\n\
             inter.broker.listener.name=PLAINTEXT\nlog.dirs={}\n\
             auto.create.topics.enable=false\nmin.insync.replicas=1\n\
             offsets.topic.replication.factor=2\noffsets.topic.num.partitions=2\n\
             transaction.state.log.replication.factor=2\ntransaction.state.log.min.isr=1\n\
             transaction.state.log.num.partitions=2\n\
             group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=500\n\
             broker.session.timeout.ms=2000\nbroker.heartbeat.interval.ms=300\n\
             leader.imbalance.check.interval.seconds=1\nleader.imbalance.per.broker.percentage=0\n\
             log.cleaner.enable=false\nlog.retention.ms=-1\n",
            data.display()
        );
        let file = self.config(node);
        fs::write(&file, text).expect("space for a broker");
        let mut format =
            self.java(&["kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c"]);
        format.arg(&file);
        if self.tls_ports.is_some() {
            format.arg("--add-scram");
            format.arg(format!("SCRAM-SHA-512=[name={SASL_USER},password={SASL_PASSWORD}]"));
        }
        format.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        format.spawn().expect("java runs")
    }

    fn config(&self, node: usize) -> PathBuf {
        self.directory.join(format!("node-{node}.properties"))
    }

    /// Java with the broker's jars.
    fn java(&self, arguments: &[&str]) -> Command {
        let mut java = Command::new("java");
        java.args(["-Xmx384m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
        java.arg("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn").arg("-cp").arg(self.jars.join("*"));
        java.args(arguments);
        java
    }

    fn launch(&self, node: usize) -> Node {
        let java = self.java(&["kafka.Kafka"]);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join(format!("node-{node}.log")))
            .expect("space for a broker");
        // The shell outlives this process by a moment and takes the broker along.
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "\"$@\" < /dev/null & broker=$!; cat > /dev/null; kill -9 $broker; wait $broker",
            "sh",
        ]);
        shell.arg(java.get_program()).args(java.get_args()).arg(self.config(node));
        shell.stdin(Stdio::piped()).stdout(log.try_clone().expect("a handle")).stderr(log);
        Node(shell.spawn().expect("a shell runs"))
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.nodes = [None, None];
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Removes the logs of programs that are over: the shared cluster lives as long as its program, which does not end by
/// dropping it.
fn remove_left_behind() {
    let Ok(entries) = fs::read_dir(env!("CARGO_TARGET_TMPDIR")) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some(process) = name.strip_prefix(RUN_PREFIX) else { continue };
        if !Path::new("/proc").join(process).exists() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Ports that nobody listens on now.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("an address").port())
}

/// The broker's jars, fetched by Maven where they are missing.
fn jars() -> PathBuf {
    let jars = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kafka-4.1.0");
    let has_java = Command::new("java").arg("-version").output().is_ok_and(|output| output.status.success());
    assert!(has_java, "the tests with a real broker need Java 17 or later; install openjdk-17-jre-headless");
    if jars.join("complete").exists() {
        return jars;
    }
    let help = "the tests with a real broker fetch its jars from a Maven repository once; install maven, and see \
                that it can reach one";
    fs::create_dir_all(&jars).expect("space for the jars");
    let pom = jars.join("pom.xml");
    fs::write(&pom, include_str!("pom.xml")).expect("space for the jars");
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "dependency:copy-dependencies"]);
    maven.arg("--file").arg(&pom).arg(format!("-DoutputDirectory={}", jars.display()));
    let output = maven.output().unwrap_or_else(|error| panic!("mvn: {error}; {help}"));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "mvn failed; {help}\n{said}{}", String::from_utf8_lossy(&output.stderr));
    fs::write(jars.join("complete"), "").expect("space for the jars");
    jars
}
