namespace ActorTrainer.Actors.Nodes;

/// <summary>Where the journal of runs is kept.</summary>
public enum JournalKind
{
    /// <summary>A SQLite file in the cluster folder: for one coordinator node, or several on one machine.</summary>
    Sqlite,

    /// <summary>A PostgreSQL server: any coordinator node can take over.</summary>
    Postgres,
}

/// <summary>A cluster, as one of its nodes or a client sees it; key group <c>cluster</c>.</summary>
public sealed record ClusterOptions
{
    /// <summary>Akka addresses host:port of nodes to find the cluster by; empty: no cluster, runs are local.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>Name of this node, the same after a restart; empty: host name and port.</summary>
    public string Node { get; init; } = "";

    /// <summary>Address to bind and to be reached at.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port of Akka messages; 0: any.</summary>
    public int Port { get; init; }

    /// <summary>Port of the data plane; 0: any.</summary>
    public int DataPort { get; init; }

    /// <summary>Port of the Prometheus page; 0: none.</summary>
    public int MetricsPort { get; init; }

    /// <summary>Folder of this node: objects, journal (SQLite), log.</summary>
    public string Folder { get; init; } = "node";

    public JournalKind Journal { get; init; } = JournalKind.Sqlite;

    /// <summary>SQLite file (empty: journal.db in <see cref="Folder"/>) or PostgreSQL connection string.</summary>
    public string JournalConnection { get; init; } = "";

    /// <summary>Folder that all nodes share for unit states; empty: nodes hold copies for each other.</summary>
    public string SharedStore { get; init; } = "";

    /// <summary>Nodes that hold each unit state, the stage's own included.</summary>
    public int Copies { get; init; } = 2;

    /// <summary>Most stages of a run; 0: as many as nodes can be used.</summary>
    public int Stages { get; init; }

    /// <summary>Stage nodes kept free to stand in for others.</summary>
    public int Spares { get; init; }

    /// <summary>Seconds to wait for a lost node to come back before going on with fewer stages, when there is no spare.</summary>
    public double WaitForNode { get; init; }

    /// <summary>Cores this node may use; 0: all.</summary>
    public int Cores { get; init; }

    /// <summary>Memory a stage may use on this node, MiB; 0: what the machine has free at start.</summary>
    public int Memory { get; init; }

    /// <summary>Seconds without a beat after which a node counts as lost.</summary>
    public double Lease { get; init; } = 3;

    /// <summary>Seconds to try to bring a broken link back before the attempt is given up.</summary>
    public double LinkPatience { get; init; } = 3;

    /// <summary>Largest payload accepted, MiB.</summary>
    public int MaxPayload { get; init; } = 1024;

    /// <summary>Encrypt both planes and admit only nodes with a certificate of <see cref="Authority"/>.</summary>
    public bool Tls { get; init; }

    /// <summary>PEM file with this node's certificate and private key.</summary>
    public string Certificate { get; init; } = "";

    /// <summary>PEM file with the certificate of the cluster's authority.</summary>
    public string Authority { get; init; } = "";

    /// <summary>File whose content every node must know; empty: none.</summary>
    public string SecretFile { get; init; } = "";

    /// <summary>Allow addresses other than loopback without TLS.</summary>
    public bool Insecure { get; init; }

    /// <summary>For people; without <see cref="JournalConnection"/>, which may hold a password.</summary>
    public override string ToString() => $"node '{Node}' at {Address}:{Port} of the cluster {string.Join(", ", Seeds)}";
}
