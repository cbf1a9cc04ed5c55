namespace ActorTrainer.Actors.DataPlane.Tcp;

/// <summary>Limits of a <see cref="TcpDataPlane"/>; the same on all nodes of a cluster.</summary>
public sealed record TcpDataPlaneOptions
{
    /// <summary>Largest payload sent or accepted, bytes. What one connection can make the receiver allocate.</summary>
    public long MaxPayloadBytes { get; init; } = 1L << 30;

    /// <summary>Payload bytes that may be under way on one link before the receiver has acknowledged any; at least one largest payload.</summary>
    public long WindowBytes { get; init; } = 256L << 20;

    /// <summary>How long a broken link is tried to be brought back before it is given up.</summary>
    public TimeSpan LinkPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Kind of payload that the cluster moves; frames of another kind are refused.</summary>
    public byte PayloadKind { get; init; } = 1;

    internal long Window => Math.Max(WindowBytes, MaxPayloadBytes);

    /// <summary>A link with nothing to send asks for a sign of life this often.</summary>
    internal TimeSpan PingInterval => LinkPatience / 4;

    /// <summary>A receiver closes a connection that has been silent for this long.</summary>
    internal TimeSpan IdleLimit => LinkPatience * 4;
}
