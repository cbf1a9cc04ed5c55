namespace ActorTrainer.Actors.DataPlane.Peers;

/// <summary>The data-plane port of a node.</summary>
public sealed record PeerSettings
{
    /// <summary>Name of this node; with <see cref="Tls"/> the name in its certificate.</summary>
    public required string Node { get; init; }

    /// <summary>Random id of this process.</summary>
    public required string Incarnation { get; init; }

    /// <summary>Address to bind and to be reached at: an IP address or a host name, never a wildcard.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port to bind; 0: any.</summary>
    public int Port { get; init; }

    /// <summary>What every node of the cluster knows; null: everyone who reaches the port, and has a certificate if <see cref="Tls"/> is set, is admitted.</summary>
    public byte[]? Secret { get; init; }

    /// <summary>This node's certificate and the cluster's authority; null: connections are not encrypted.</summary>
    public TlsIdentity? Tls { get; init; }

    /// <summary>Longest that a stranger may take from connecting to being admitted.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Most incoming connections at a time, those not yet admitted included.</summary>
    public int MaxConnections { get; init; } = 256;

    /// <summary>Told why connections were not admitted, at most once a second; called on a connection's thread.</summary>
    public Action<string>? Refused { get; init; }
}
