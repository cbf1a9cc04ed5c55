namespace ActorTrainer.Actors.DataPlane.Peers.Admission;

/// <summary>What a record of the handshake says; above 0 it ends it. On the wire: never change.</summary>
internal enum PeerAnswer : byte
{
    /// <summary>Go on; after the last record: admitted.</summary>
    Go = 0,

    /// <summary>Another version of the handshake.</summary>
    OtherVersion = 1,

    /// <summary>No greeting, or one that is not well formed.</summary>
    Malformed = 2,

    /// <summary>The proof was made with another cluster secret.</summary>
    OtherSecret = 3,

    /// <summary>The certificate is not for the node that the greeting names.</summary>
    OtherName = 4,

    /// <summary>Nobody takes connections of that purpose here.</summary>
    NotServed = 5,

    /// <summary>As many connections as allowed are open.</summary>
    Busy = 6,
}

/// <summary>The other side is not admitted, or does not admit this one.</summary>
/// <param name="answer">Why.</param>
/// <param name="tell">Whether the other side is worth an answer: it speaks this protocol.</param>
internal sealed class NotAdmittedException(PeerAnswer answer, string message, bool tell = true) : IOException(message)
{
    public PeerAnswer Answer { get; } = answer;

    public bool Tell { get; } = tell;

    /// <summary>What the other side's answer means here.</summary>
    /// <param name="version">Version of the handshake that the other side speaks.</param>
    public static NotAdmittedException Told(PeerAnswer answer, byte version) => new(answer, answer switch
    {
        PeerAnswer.OtherVersion =>
            $"not admitted: it speaks version {version} of the handshake, this node {PeerHandshake.Version}; run the same version of actortrainer on every node.",
        PeerAnswer.OtherSecret => "not admitted: another cluster secret; cluster.secret_file must hold the same on every node.",
        PeerAnswer.OtherName => "not admitted: this node's certificate is for another node name; make one with cluster.node as its common name.",
        PeerAnswer.NotServed => "not admitted: it takes no connections of this purpose.",
        PeerAnswer.Busy => "not admitted: it has as many connections as it allows.",
        _ => $"not admitted: it could not read this node's greeting (answer {(byte)answer}).",
    }, tell: false);
}
